import { createHmac } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { openCheckpoint } from '../../src/receipt/checkpoint.js';
import { verifyConsistency } from '../../src/receipt/merkle.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

/** What a checkpoint's POST says. */
interface News {
  readonly type: string;
  readonly data: {
    readonly origin: string;
    readonly size: number;
    readonly root: string;
    readonly checkpoint: string;
    readonly consistency: { readonly from_size: number; readonly hashes: readonly string[] } | null;
  };
}

/** Somebody who believes nothing: takes a checkpoint only with a proof that the log has but grown since the last one. */
export interface TestWitness {
  readonly provider: FakeProvider;
  readonly url: string;
  /** The newest checkpoint that it took. */
  note(): string | undefined;
  /** Sizes of those that it took, in order. */
  readonly taken: readonly number[];
  /** From now on it refuses with this in place of its checkpoint. */
  answerWith(text: string | undefined): void;
  /** Forgets what it has. */
  forget(): void;
}

/** `publicKeys` are those that checkpoints may be signed by at the time. */
export async function startWitness(publicKeys: () => Promise<readonly Buffer[]>): Promise<TestWitness> {
  const provider = await startFakeProvider();
  onTestFinished(() => provider.close());
  const taken: number[] = [];
  let [keys, note, says]: [readonly Buffer[], string | undefined, string | undefined] = [
    [],
    undefined,
    undefined,
  ];

  function take({ body }: FakeRequest): FakeAnswer {
    const { checkpoint, consistency } = (body as News).data;
    const shown = openCheckpoint(checkpoint, keys);
    if (!shown) return { status: 403 };
    const held = note === undefined ? undefined : openCheckpoint(note, keys);
    const hashes = (consistency?.hashes ?? []).map((hash) => Buffer.from(hash, 'base64'));
    const isGrown = !held || (consistency?.from_size === held.size && verifyConsistency(held, shown, hashes));
    if (!isGrown || says !== undefined) return { status: 409, body: says ?? note };
    note = checkpoint;
    taken.push(shown.size);
    return { status: 204 };
  }

  provider.on('POST /witness', take);
  keys = await publicKeys();
  return {
    provider,
    url: `${provider.url}/witness`,
    note: () => note,
    taken,
    answerWith: (text) => (says = text),
    forget: () => (note = undefined),
  };
}

/** As Standard Webhooks has it, by nothing of ours. */
export function isSigned({ headers, text }: FakeRequest, secret: string): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`;
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}

/** A store of objects that writes each once, where it is asked to. */
export interface TestStore {
  readonly provider: FakeProvider;
  readonly url: string;
  readonly objects: Map<string, string>;
}

export async function startStore(isAllowed: (request: FakeRequest) => boolean): Promise<TestStore> {
  const provider = await startFakeProvider();
  onTestFinished(() => provider.close());
  const objects = new Map<string, string>();
  const on = (route: string, handle: (request: FakeRequest, key: string) => FakeAnswer): void =>
    provider.on(route, (request, { origin, area, tenant, name }) =>
      isAllowed(request) ? handle(request, [origin, area, tenant, name].join('/')) : { status: 403 },
    );
  on('GET /kept/{origin}/{area}/{tenant}/{name}', (_, key) => {
    const body = objects.get(key);
    return body === undefined ? { status: 404 } : { status: 200, body };
  });
  on('PUT /kept/{origin}/{area}/{tenant}/{name}', ({ headers, text }, key) => {
    if (headers['if-none-match'] === '*' && objects.has(key)) return { status: 412 };
    objects.set(key, text);
    return { status: 200 };
  });
  return { provider, url: `${provider.url}/kept`, objects };
}

import { createHash, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

interface PublishedEvent {
  readonly name: string;
  readonly examples: readonly PullRequestEvent[];
}

interface PullRequestEvent {
  readonly action?: string;
  readonly pull_request?: { readonly id: number };
}

/** A request as GitHub sends it. */
export interface SignedDelivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const FIRST_ID = 1_000_000_000;

/**
 * Endless deliveries of `pull_request.opened`, each of another pull request with a delivery id of its own: the
 * published example of 21 kB with `pull_request.id` counted up from 1,000,000,000 plus `from`. The id stands at the very end
 * of the body, so that signing one costs the generator a few microseconds instead of a walk through the whole.
 */
export function createDeliveries(secret: string, from: number): () => SignedDelivery {
  const start = Buffer.from(JSON.stringify(withIdLast(publishedExample())).slice(0, -`${FIRST_ID}}}`.length));
  const sign = createSigner(secret, start);
  let id = FIRST_ID + from;
  return () => {
    const end = `${id++}}}`;
    return {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'GitHub-Hookshot/bench',
        'x-github-delivery': randomUUID(),
        'x-github-event': 'pull_request',
        'x-hub-signature-256': `sha256=${sign(end)}`,
      },
      body: Buffer.concat([start, Buffer.from(end)]),
    };
  };
}

/** From the package of GitHub's examples that the tests use too. */
function publishedExample(): PullRequestEvent {
  const events = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly PublishedEvent[];
  const example = events
    .find(({ name }) => name === 'pull_request')
    ?.examples.find(({ action }) => action === 'opened');
  if (!example) throw new Error('@octokit/webhooks-examples has no pull_request.opened any more.');
  return example;
}

/** With the id at the end, as the order of fields means nothing in JSON. */
function withIdLast({ pull_request, ...rest }: PullRequestEvent): object {
  const fields = Object.entries(pull_request ?? {}).filter(([name]) => name !== 'id');
  return { ...rest, pull_request: { ...Object.fromEntries(fields), id: FIRST_ID } };
}

const BLOCK_BYTES = 64;

/** HMAC-SHA256 (RFC 2104) in hex of texts that share a beginning, which is hashed only once. */
function createSigner(secret: string, start: Buffer): (end: string) => string {
  const key = Buffer.alloc(BLOCK_BYTES);
  key.write(secret);
  const inner = createHash('sha256')
    .update(key.map((byte) => byte ^ 0x36))
    .update(start);
  const outer = createHash('sha256').update(key.map((byte) => byte ^ 0x5c));
  return (end) => outer.copy().update(inner.copy().update(end).digest()).digest('hex');
}

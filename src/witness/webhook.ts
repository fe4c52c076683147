import type { Clock } from '../core/clock.js';
import type { Secret } from '../core/secret.js';
import { signedHeaders } from '../incident/sign.js';
import type { HttpClient } from '../outbound/client.js';
import type { News } from './news.js';
import { DEADLINE_MS, type Judge, type Told } from './told.js';

/** A tenant's witness: it gets a POST, signed as https://www.standardwebhooks.com says. */
export interface WebhookWitness {
  readonly id: string;
  readonly url: string;
  readonly secret: Secret;
}

/**
 * 2xx: it took the checkpoint. 409: it holds another one against it, which is the body of its answer, or merely the size
 * of that, as https://c2sp.org/tlog-witness has it. Throws {@link HttpError}.
 */
export async function tellWebhook(
  { client, clock }: { readonly client: HttpClient; readonly clock: Clock },
  { id, url, secret }: WebhookWitness,
  news: News,
  judge: Judge,
): Promise<Told> {
  const body = toBody(news);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Tributary',
    ...signedHeaders(secret, `${id}-${news.size}`, body, clock.now()),
  };
  const request = { method: 'POST', url: new URL(url), headers, body, deadlineMs: DEADLINE_MS };
  const { status, text } = await client.send(request);
  if (status >= 200 && status < 300) return { is: 'taken' };
  if (status !== 409) return { is: 'failed', problem: `The witness answered ${status}.` };
  const judgement = await judge(text);
  if (judgement.is === 'conflict') return judgement;
  if (judgement.is === 'unclear') {
    const problem = 'The witness answered 409, with neither a checkpoint of this log nor a size.';
    return { is: 'failed', problem };
  }
  const problem = `The witness is at ${judgement.size} receipts: the next attempt proves the log from there.`;
  return { is: 'failed', problem, knownSize: judgement.size };
}

/** In the form that Standard Webhooks recommends: type, timestamp, data. The same for every attempt from one size. */
function toBody({ origin, size, root, note, createdAt, consistency }: News): string {
  return JSON.stringify({
    type: 'receipt_checkpoint.added',
    timestamp: createdAt.toISOString(),
    data: {
      origin,
      size,
      root: root.toString('base64'),
      checkpoint: note,
      consistency: consistency && {
        from_size: consistency.fromSize,
        hashes: consistency.hashes.map((hash) => hash.toString('base64')),
      },
    },
  });
}

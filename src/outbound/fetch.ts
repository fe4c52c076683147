import { type HttpClient, HttpError } from './client.js';

/** As much of the web platform's fetch as libraries that bring requests of their own ask for. */
export interface FetchInit {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | undefined;
}

export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

/** The one way out in the shape of fetch. Throws {@link HttpError}, where fetch would throw a TypeError. */
export function toFetch(client: HttpClient, deadlineMs: number): Fetch {
  return async (url, { method, headers, body }) => {
    const answer = await client.send({
      method,
      url: new URL(url),
      headers,
      ...(body !== undefined && { body: String(body) }),
      deadlineMs,
    });
    // A Response of another status, or an empty text with 204, can't be made.
    if (answer.status > 599) {
      throw new HttpError('invalid', true, `The answer has the status ${answer.status}, which HTTP lacks.`);
    }
    return new Response(answer.text === '' ? null : answer.text, {
      status: answer.status,
      headers: toByteStrings(answer.headers),
    });
  };
}

/** Fetch shows each byte of a header as one character. */
function toByteStrings(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]),
  );
}

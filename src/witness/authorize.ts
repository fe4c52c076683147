import type { HttpRequest } from '../outbound/client.js';

/** Answers a request's headers with those that let the store know who sends it. */
export type Authorize = (
  request: Pick<HttpRequest, 'method' | 'url' | 'headers'> & { readonly body?: string },
) => Promise<Readonly<Record<string, string>>>;

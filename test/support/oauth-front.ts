import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestAuthorizationServer, startAuthorizationServer } from './authorization-server.js';

/** What becomes of one request for tokens: `lose` does it and cuts the line, `500` does nothing. */
export type Trouble = '500' | 'html' | 'lose';

/** The certified server behind a line that can be made bad, and that knows which tokens came through. */
export interface OAuthFront {
  readonly url: string;
  readonly server: TestAuthorizationServer;
  /** Access tokens that were handed out; the tests take away what the provider is to refuse. */
  readonly issued: Set<string>;
  /** Every token that was ever handed out, of both kinds. */
  readonly tokens: ReadonlySet<string>;
  /** What came to the revocation endpoint: forms. */
  readonly revocations: readonly URLSearchParams[];
  /** The next requests for tokens go so, in this order. */
  next(...troubles: readonly Trouble[]): void;
  /** Nothing answers any more. */
  close(): Promise<void>;
}

export async function startOAuthFront(redirectUri: string): Promise<OAuthFront> {
  const server = await startAuthorizationServer({}, redirectUri);
  const [issued, tokens] = [new Set<string>(), new Set<string>()];
  const revocations: URLSearchParams[] = [];
  const script: Trouble[] = [];

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    if (incoming.url === '/token/revocation') revocations.push(new URLSearchParams(body));
    const trouble = incoming.url === '/token' ? script.shift() : undefined;
    if (trouble === '500') return void response.writeHead(500).end('{"error":"server_error"}');
    if (trouble === 'html')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello');
    const { authorization = '', 'content-type': type = '' } = incoming.headers;
    const headers = { authorization, 'content-type': type };
    const answer = await fetch(`${server.url}${incoming.url}`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.ok && incoming.url === '/token') keep(JSON.parse(text) as Record<string, string>);
    if (trouble === 'lose') return void response.socket?.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
  }

  function keep({ access_token: access, refresh_token: refresh }: Record<string, string>): void {
    if (access) issued.add(access);
    for (const token of [access, refresh]) if (token) tokens.add(token);
  }

  const front = createServer((incoming, response) => {
    pass(incoming, response).catch((error: unknown) => response.writeHead(502).end(String(error)));
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');

  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    server,
    issued,
    tokens,
    revocations,
    next: (...troubles) => void script.push(...troubles),
    async close() {
      if (!front.listening) return;
      const closed = once(front, 'close');
      front.close();
      front.closeAllConnections();
      await Promise.all([closed, server.close()]);
    },
  };
}

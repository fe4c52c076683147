import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A page to try the API in, all of it in one text: nothing in it is loaded from elsewhere. */
export interface GraphiQL {
  /** Whether somebody opened the address in a browser, and asks nothing of GraphQL. */
  isWanted(request: FastifyRequest): boolean;
  send(reply: FastifyReply): Promise<FastifyReply>;
}

/** The page, made when it is first asked for: its text is nine megabytes. */
export function createGraphiQL(): GraphiQL {
  let page: Promise<Page> | undefined;
  return {
    isWanted: ({ method, query, headers }) =>
      method === 'GET' &&
      /\btext\/html\b/.test(headers.accept ?? '') &&
      Object.keys(query as object).length === 0,
    async send(reply) {
      const { html, policy } = await (page ??= render());
      void reply.header('content-security-policy', policy).header('x-content-type-options', 'nosniff');
      void reply.header('referrer-policy', 'no-referrer').header('vary', 'accept');
      return reply.type('text/html; charset=utf-8').send(html);
    },
  };
}

interface Page {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

const QUERY = `# Put a token beside "Bearer", under Headers below: npm run -s token
query Providers {
  providers {
    id
    name
    capabilities
  }
}
`;

/** Takes the place of what JSON can't say. */
const HOOKS = '@hooks';

/**
 * A browser sends no headers of its own with a WebSocket: the token of the headers' editor goes with connection_init. The
 * page would also write each document into its address, which a reload would then ask as a query.
 */
const hooks = `...(() => {
  let text = '';
  return {
    onEditQuery: () => {},
    onEditHeaders: (edited) => { text = edited; },
    connectionParams: () => {
      const named = Object.entries(JSON.parse(text || '{}')).map(([name, value]) => [name.toLowerCase(), value]);
      return Object.fromEntries(named);
    },
  };
})()`;

async function render(): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const options = {
    title: 'Tributary',
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS' as const,
    defaultQuery: QUERY,
    headers: JSON.stringify({ authorization: 'Bearer ' }, undefined, 2),
    // Local storage is shared with whatever else runs on this port some day.
    shouldPersistHeaders: false,
    [HOOKS]: HOOKS,
  };
  const html = renderGraphiQL(options)
    .trimStart()
    .replace(`"${HOOKS}":"${HOOKS}"`, () => hooks);
  return { html, policy: policyOf(html) };
}

/** The page's one script is known by its hash; its editor writes styles, and runs workers, of its own. */
function policyOf(html: string): string {
  const [, script = ''] = /<script>(.*)<\/script>/s.exec(html) ?? [];
  const hash = createHash('sha256').update(script).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

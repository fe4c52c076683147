import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Which way imports may point. An import of types only leaves no trace in the running program, so it is bound where
 * it would bind two parts to each other (folders, connectors, the SPI, GraphQL) and free where a rule is about who
 * uses a library: naming ioredis' type in a signature is not a second connection to Redis.
 */
interface Import {
  readonly from: string;
  /** What stands between `import` and `from`. */
  readonly names: string;
  readonly isType: boolean;
}

/** Folders of src/, lowest first. A file may import from its own folder and from lower rows, never from its own row's others. */
const rows: readonly (readonly string[])[] = [
  ['client'],
  ['connector'],
  ['core'],
  ['outbound'],
  ['credential', 'call'],
  // Below connection, which writes a receipt of every connect and verify: see docs/decisions.
  ['receipt'],
  ['connection', 'incident'],
  ['signal', 'health', 'tenant', 'witness'],
  ['webhook', 'poll', 'action', 'entity-event'],
];

const MARKDOWN = /^src\/connector\/markdown\.ts$/;
const MARKDOWN_PACKAGES = ['mdast', 'mdast-util-from-markdown', 'mdast-util-gfm', 'micromark-extension-gfm'];

/** Where a package may be imported; `types` may name its types elsewhere. A name that ends in `/` is a scope. */
const homes: readonly { packages: readonly string[]; home: RegExp; types: RegExp }[] = [
  {
    packages: ['graphql', 'type-graphql', 'graphql-scalars', '@apollo/', '@as-integrations/'],
    home: /^resolvers\//,
    types: /^resolvers\//,
  },
  {
    packages: ['graphql-ws'],
    home: /^(resolvers|src\/client)\//,
    types: /^(resolvers|src\/client)\//,
  },
  { packages: ['agenda', 'mongodb', '@agendajs/'], home: /^src\/core\/scheduler\//, types: /^src\// },
  { packages: ['ioredis'], home: /^src\/core\/redis\.ts$/, types: /^src\// },
  { packages: ['rate-limiter-flexible'], home: /^src\/outbound\//, types: /^src\/outbound\// },
  { packages: ['undici'], home: /^src\/outbound\/client\.ts$/, types: /^src\/outbound\// },
  { packages: ['prom-client'], home: /^src\/core\/metrics\.ts$/, types: /^src\// },
  // What tenants wrote is carried out in a thread of its own, and nowhere else.
  {
    packages: ['jsonata'],
    home: /^src\/core\/expression\/worker\.ts$/,
    types: /^src\/core\/expression\/worker\.ts$/,
  },
  { packages: ['@opentelemetry/'], home: /^src\/core\/(trace|telemetry)\.ts$/, types: /^src\/core\// },
  { packages: ['pino'], home: /^src\/core\/log\.ts$/, types: /^src\// },
  {
    packages: ['jose'],
    home: /^src\/(core\/auth\.ts$|credential\/oauth\/)/,
    types: /^src\/(core\/auth\.ts$|credential\/oauth\/)/,
  },
  { packages: ['oauth4webapi'], home: /^src\/credential\/oauth\//, types: /^src\/credential\/oauth\// },
  {
    // The one thing that the SPI does with a library of others: see docs/decisions/markdown.md.
    packages: MARKDOWN_PACKAGES,
    home: MARKDOWN,
    types: MARKDOWN,
  },
  {
    packages: ['fastify'],
    home: /^src\/http\.ts$/,
    types: /^(src\/(app|http|oauth|rest)\.ts|src\/rest\/.*|resolvers\/.*)$/,
  },
];

/** Node's own ways out, which a connector would use past the egress policy, the limiter and the log. */
const NETWORK = /^node:(http|https|http2|net|tls|dgram|dns|child_process|cluster|worker_threads)(\/|$)/;

/** PATH, passed on to the programs of PostgreSQL: how to find a program, not how to behave. */
const READS_PATH = /^src\/core\/(embedded-)?postgres/;

const MAX_LINES = 300;
/** Stories stand side by side and don't depend on each other: a long row of them is not harder to read. */
const MAX_TEST_LINES = 500;
/** Longer files, each with the reason why two would be worse than one. */
const longFiles: Readonly<Record<string, string>> = {
  'src/migrations/founding.ts': 'one migration is one step, and never changes again',
};

/** What a file may not do, in words. `path` is relative to the repository, with forward slashes. */
function violationsOf(path: string, source: string): string[] {
  const imports = importsOf(source);
  const code = withoutComments(source);
  return [
    ...imports.flatMap((found) => importViolations(path, found)),
    path.startsWith('src/') &&
      !/^src\/(config|main|start|tributary)\.ts$/.test(path) &&
      !READS_PATH.test(path) &&
      /\bprocess\.env\b/.test(code) &&
      'reads process.env, which src/config.ts does for everyone',
    !path.startsWith('src/outbound/') &&
      /(?<![.\w])(globalThis\.)?(fetch|WebSocket|EventSource)\(/.test(code) &&
      'calls out by itself: every request to the outside goes through src/outbound',
  ].filter((problem) => typeof problem === 'string');
}

function importViolations(path: string, found: Import): string[] {
  const { from, isType } = found;
  const target = from.startsWith('.') ? normalize(join(dirname(path), from)) : undefined;
  const problem = target
    ? fileViolation(path, target, found)
    : (packageViolation(path, from, isType) ?? closedViolation(path, from, isType));
  return problem ? [`imports ${target ?? from}: ${problem}`] : [];
}

/** The places that may import almost nothing: connectors, the SPI they stand on, and the client. */
function closedViolation(path: string, from: string, isType: boolean): string | undefined {
  const isNode = from.startsWith('node:');
  if (path.startsWith('connectors/')) {
    if (!isNode) return 'a connector imports the SPI (src/connector) and node:* only';
    if (NETWORK.test(from)) return 'a connector reaches its provider through its context only';
  }
  if (path.startsWith('src/client/')) {
    return from === 'graphql-ws' ? undefined : 'it runs in browsers as well: graphql-ws only';
  }
  if (path.startsWith('src/connector/')) {
    if (
      isNode ||
      (MARKDOWN.test(path) && MARKDOWN_PACKAGES.includes(from)) ||
      (isType && from === 'json-schema-to-ts')
    )
      return undefined;
    return 'the SPI imports node:* only, the types of json-schema-to-ts, and one parser in one file';
  }
  return undefined;
}

function fileViolation(path: string, target: string, { names, isType }: Import): string | undefined {
  if (path.startsWith('connectors/')) return connectorViolation(path, target);
  if (target.startsWith('connectors/')) {
    const isEntry = path === 'src/start.ts' || path === 'src/tributary.ts';
    return isEntry
      ? undefined
      : 'only the entry points, src/start.ts and src/tributary.ts, choose the connectors';
  }
  if (target.startsWith('resolvers/') && !path.startsWith('resolvers/')) {
    const isRoot = path === 'src/app.ts' && target === 'resolvers/server.js';
    return isRoot ? undefined : 'GraphQL is attached by src/app.ts, through resolvers/server.ts';
  }
  if (path.startsWith('resolvers/') || path.startsWith('jobs/')) return edgeViolation(target, names);
  return path.startsWith('src/') ? sourceViolation(path, target, isType) : undefined;
}

function connectorViolation(path: string, target: string): string | undefined {
  if (path === 'connectors/index.ts') return undefined;
  if (target === 'src/connector/index.js') return undefined;
  const own = path.split('/').slice(0, 2).join('/');
  return target.startsWith(`${own}/`) ? undefined : 'a connector imports the SPI and its own folder only';
}

/** Resolvers and jobs are handed their services. Types, vocabularies and pure functions they may import; builders not. */
function edgeViolation(target: string, names: string): string | undefined {
  if (/^src\/[^/]+$/.test(target)) {
    return target === 'src/services.js'
      ? undefined
      : 'edges know the services, not how the process is put together';
  }
  const builds = target.startsWith('src/') && /\b(create|open|start)[A-Z]/.test(names);
  return builds ? 'edges get their services from src/app.ts and build none' : undefined;
}

function sourceViolation(path: string, target: string, isType: boolean): string | undefined {
  const [own, other] = [folderOf(path), folderOf(target)];
  // The files of src/ itself: entry, composition root and HTTP stand above every folder.
  if (own === undefined || own === other) return undefined;
  if (path.startsWith('src/connector/')) {
    const isSecret = isType && target === 'src/core/secret.js';
    return isSecret ? undefined : 'the SPI stands on nothing but the type of a secret';
  }
  if (other === undefined) {
    return isType && target === 'src/config.js' ? undefined : 'what src/ itself holds is above the folders';
  }
  return rowOf(other) < rowOf(own) ? undefined : `${own} is not above ${other}`;
}

function packageViolation(path: string, from: string, isType: boolean): string | undefined {
  const rule = homes.find(({ packages }) =>
    packages.some((name) => from === name || from.startsWith(name.endsWith('/') ? name : `${name}/`)),
  );
  if (!rule) return undefined;
  return (isType ? rule.types : rule.home).test(path) ? undefined : `it belongs to ${rule.home.source}`;
}

function folderOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** Migrations stand on no other folder and nothing but the composition root stands on them: above all rows. */
function rowOf(folder: string): number {
  const row = rows.findIndex((names) => names.includes(folder));
  return row === -1 ? rows.length : row;
}

const STATEMENT =
  /^(?:import|export)\s+(?<type>type\s)?(?<names>[^'";]*?)\s*from\s*'(?<from>[^']+)'|^import\s*'(?<bare>[^']+)'|\bimport\(\s*'(?<lazy>[^']+)'\s*\)/gm;

function importsOf(source: string): Import[] {
  return [...withoutComments(source).matchAll(STATEMENT)].map(({ groups = {} }) => {
    const { type, names = '', from, bare, lazy } = groups;
    return { from: from ?? bare ?? lazy ?? '', names, isType: type !== undefined || namesTypesOnly(names) };
  });
}

/** `{ type A, type B }` is a value import in form and a type import in effect. */
function namesTypesOnly(names: string): boolean {
  const list = /^\{(.*)\}$/s.exec(names.trim())?.[1];
  const parts = (list ?? '').split(',').filter((part) => part.trim() !== '');
  return parts.length > 0 && parts.every((part) => /^\s*type\s/.test(part));
}

/** A `//` that follows a colon or a quote is part of a URL. */
function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(?<![:'"`\\])\/\/.*$/gm, '');
}

/** Every cycle among these files, by its first file in reading order. Types count: a cycle of types is a knot as well. */
function cyclesOf(sources: ReadonlyMap<string, string>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  function visit(path: string, trail: readonly string[]): void {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.push([...trail.slice(start), path].join(' → '));
    if (start !== -1 || done.has(path)) return;
    for (const { from } of importsOf(sources.get(path) ?? '')) {
      const target = normalize(join(dirname(path), from)).replace(/\.js$/, '.ts');
      if (from.startsWith('.') && sources.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  }
  for (const path of sources.keys()) visit(path, []);
  return cycles;
}

/**
 * Lines that keep something in the module itself, where every app of a process would share it, and every test file. What
 * a WeakMap remembers of an object is as good as a part of that object.
 */
function moduleStateOf(source: string): string[] {
  const state =
    /^(?:export )?(?:let |var |const \w+(?:: [^=]+)? = (?:new (?:Map|Set|LRUCache)(?:<.*>)?\((?:\{.*|\);)$|(?:\[\]|\{\});$)).*$/gm;
  return source.match(state) ?? [];
}

const root = join(import.meta.dirname, '..');

function read(pattern: string): ReadonlyMap<string, string> {
  const paths = globSync(pattern, { cwd: root, exclude: ['**/generated/**', '**/node_modules/**'] });
  const named = paths.map((path) => path.replaceAll('\\', '/')).toSorted();
  return new Map(named.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

const product = new Map(
  [...read('{src,resolvers,connectors,jobs}/**/*.ts')].filter(([path]) => !path.endsWith('.test.ts')),
);

function limitOf(path: string): number {
  return path.endsWith('.test.ts') ? MAX_TEST_LINES : MAX_LINES;
}

describe('the architecture', () => {
  it('has imports in the allowed directions only', () => {
    const found = [...product].flatMap(([path, source]) =>
      violationsOf(path, source).map((problem) => `${path} ${problem}`),
    );
    expect(product.size).toBeGreaterThan(50);
    expect(found).toEqual([]);
  });

  it('has no import cycles', () => {
    expect(cyclesOf(product)).toEqual([]);
  });

  it('keeps no state in a module, but for what a pure function remembers', () => {
    const found = [...product].filter(([, source]) => moduleStateOf(source).length > 0);
    // Compiled schemas, by their text: the same for every app, whoever asked first.
    expect(found.map(([path]) => path)).toEqual(['src/core/schema.ts']);
  });

  it('has no file that is too long, but for those with a reason', () => {
    const all = [...read('{src,resolvers,connectors,jobs,scripts,bench,examples,test}/**/*.ts')];
    const long = all.filter(([path, source]) => source.split('\n').length - 1 > limitOf(path));
    expect(long.map(([path]) => path)).toEqual(Object.keys(longFiles));
  });
});

describe('the rules', () => {
  it.each([
    ['connectors/jira/auth.ts', `import { z } from 'zod';`],
    ['connectors/jira/auth.ts', `import { request } from 'node:https';`],
    ['connectors/jira/auth.ts', `import { Secret } from '../../src/core/secret.js';`],
    ['connectors/jira/auth.ts', `import { on } from '../github/normalize/rules.js';`],
    ['connectors/jira/auth.ts', `const answer = await fetch(url);`],
    ['src/connector/json.ts', `import { Secret } from '../core/secret.js';`],
    ['src/connector/json.ts', `import type { Log } from '../core/log.js';`],
    ['src/connector/json.ts', `import { gfm } from 'micromark-extension-gfm';`],
    ['connectors/jira/adf.ts', `import { fromMarkdown } from 'mdast-util-from-markdown';`],
    ['src/core/db.ts', `import type { Feed } from '../signal/feed.js';`],
    ['src/core/db.ts', `import { readConfig } from '../config.js';`],
    ['src/outbound/client.ts', `import { createVault } from '../credential/vault.js';`],
    ['src/receipt/log.ts', `import type { Connection } from '../connection/connection.entity.js';`],
    ['src/signal/feed.ts', `import type { HealthService } from '../health/health.js';`],
    ['src/action/execute.ts', `import {\n  type Endpoint,\n} from '../webhook/endpoint.js';`],
    ['src/signal/feed.ts', `import type { GraphQLSchema } from 'graphql';`],
    ['src/http.ts', `import { attachGraphQL } from '../resolvers/server.js';`],
    ['src/http.ts', `export { ApolloServer } from '@apollo/server';`],
    ['src/client/link.ts', `import { once } from 'node:events';`],
    ['src/client/link.ts', `import { log } from '../core/log.js';`],
    ['src/http.ts', `import { github } from '../connectors/github/index.js';`],
    ['src/outbound/limiter.ts', `import { type RedisOptions, Redis } from 'ioredis';`],
    ['src/signal/journal.ts', `const { Agenda } = await import('agenda');`],
    ['src/webhook/receive.ts', `import 'rate-limiter-flexible';`],
    ['src/core/expression/evaluator.ts', `import jsonata from 'jsonata';`],
    ['src/outbound/provider.ts', `import { request } from 'undici';`],
    ['src/connection/connect.ts', `import { generateRandomState } from 'oauth4webapi';`],
    ['src/webhook/receive.ts', `const level = process.env['LOG_LEVEL'];`],
    ['resolvers/health/resolver.ts', `import { createFeed } from '../../src/signal/feed.js';`],
  ])('find what is planted in %s: %s', (path, source) => {
    expect(violationsOf(path, source)).toHaveLength(1);
  });

  it.each([
    ['connectors/jira/auth.ts', `import { createHmac } from 'node:crypto';`],
    ['src/client/link.ts', `import { createClient } from 'graphql-ws';`],
    ['connectors/jira/index.ts', `import { type Auth, at } from '../../src/connector/index.js';`],
    ['connectors/jira/issues/made.ts', `import { fields } from '../fields.js';`],
    ['src/connector/verbs.ts', `import type { FromSchema } from 'json-schema-to-ts';`],
    ['src/connector/markdown.ts', `import { gfm } from 'micromark-extension-gfm';`],
    ['src/core/auth.ts', `import type { Config } from '../config.js';`],
    ['src/connection/connect.ts', `import { addReceipt } from '../receipt/log.js';`],
    ['src/outbound/limiter.ts', `import type { Redis } from 'ioredis';`],
    ['src/app.ts', `import { attachGraphQL } from '../resolvers/server.js';`],
    ['src/core/db.ts', `// import { GraphQLSchema } from 'graphql';`],
    ['resolvers/health/resolver.ts', `import type { Feed } from '../../src/signal/feed.js';`],
  ])('let pass what is allowed in %s: %s', (path, source) => {
    expect(violationsOf(path, source)).toEqual([]);
  });

  it.each([
    'let known = 0;',
    'export var latest: Date;',
    'const cache = new Map<string, Promise<number>>();',
    'const cache = new LRUCache<string, number>({ max: 10 });',
    'const cache = new LRUCache<string, number>({',
    'const waiting: string[] = [];',
  ])('find state in a module: %s', (line) => {
    expect(moduleStateOf(`import 'x';\n${line}\n`)).toHaveLength(1);
  });

  it.each([
    "const names = new Set(['a', 'b']);",
    '  let count = 0;',
    'const of = new WeakMap<object, string>();',
    'const names = new Set(',
  ])('take no constant for state: %s', (line) => {
    expect(moduleStateOf(line)).toEqual([]);
  });

  it('find a cycle, also one of types', () => {
    const sources = new Map([
      ['src/a.ts', `import { b } from './b.js';`],
      ['src/b.ts', `import type { C } from './deep/c.js';`],
      ['src/deep/c.ts', `export * from '../a.js';`],
      ['src/d.ts', `import { b } from './b.js';`],
    ]);
    expect(cyclesOf(sources)).toEqual(['src/a.ts → src/b.ts → src/deep/c.ts → src/a.ts']);
  });
});

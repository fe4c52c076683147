/**
 * Starts a connector as a copy of connectors/example under another name, with a fake of its provider and a subject for the
 * conformance suite:
 *
 *   npm run new-connector -- acme --name "Acme Desk"
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** By what the example's names are replaced: `acme-desk`, `acmeDesk`, `AcmeDesk`, `Acme Desk`. */
interface Names {
  readonly id: string;
  readonly variable: string;
  readonly type: string;
  readonly name: string;
}

const program = new Command('new-connector')
  .description(
    'Starts a connector as a copy of connectors/example: folder, fake provider, conformance subject.',
  )
  .argument('<id>', 'lower case words joined by "-"; also the folder, and its place in webhook URLs')
  .option('--name <name>', 'as people write it; left out: made of the id')
  .option('--root <folder>', 'the checkout to write into', join(import.meta.dirname, '..'))
  .parse();

const { name, root } = program.opts<{ name?: string; root: string }>();
const id = program.args[0] ?? '';
if (!ID.test(id)) program.error(`"${id}" is no id: use lower case words joined by "-".`);
if (existsSync(join(root, 'connectors', id))) program.error(`connectors/${id} is there already.`);

const words = id.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
const joined = words.join('');
const names = {
  id,
  type: spellingOf(name ?? '', joined),
  variable: joined.charAt(0).toLowerCase() + joined.slice(1),
  name: name ?? words.join(' '),
};
const made = await copyAll(root, names);
await addToList(root, names);
process.stdout.write(
  `${[...made, 'connectors/index.ts'].map((path) => `  ${path}`).join('\n')}\n\n${NEXT(id)}`,
);

/** Types are spelled as people spell the name, where it is the same word: `PagerDuty`, and not `Pagerduty`. */
function spellingOf(title: string, plain: string): string {
  const spelled = title.replaceAll(/[^A-Za-z0-9]/g, '');
  return spelled.toLowerCase() === plain.toLowerCase() ? spelled : plain;
}

function NEXT(of: string): string {
  return `It passes the conformance suite as it is, against its fake. Now make it true, file by file, as connectors/${of}/README.md says:

  npx vitest run test/connectors.test.ts -t "conformance of ${of}"
  npm run conformance && npm run docs
`;
}

async function copyAll(to: string, as: Names): Promise<readonly string[]> {
  const files = [
    ...listFiles(join(to, 'connectors/example')).map((file) => `connectors/example/${file}`),
    'test/support/fake-example.ts',
    'test/conformance/subjects/example.ts',
  ];
  const targets: string[] = [];
  for (const file of files) {
    const target = file.replaceAll('example', as.id);
    await write(join(to, target), rename(readFileSync(join(to, file), 'utf8'), as));
    targets.push(target);
  }
  return targets;
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** The address example.com stays: what stands there is to be replaced by what the provider has published. */
function rename(text: string, { id: slug, variable, type: pascal, name: title }: Names): string {
  return text
    .replaceAll(/(?<=\b(?:start)?Fake)Example|\bExample(?=[A-Z])/g, pascal)
    .replaceAll(/\bexample(?=[A-Z])/g, variable)
    .replaceAll(/(?<=[{,] |const |connector: )example\b(?!\.com)/g, variable)
    .replaceAll(/\bexample(?=\.(?!com\b|test\b|[jt]s\b)\w)/g, variable)
    .replaceAll(/\bexample\b(?!\.com)/g, slug)
    .replaceAll(/\bExample\b/g, title);
}

async function addToList(to: string, { id: slug, variable }: Names): Promise<void> {
  const path = join(to, 'connectors/index.ts');
  const text = readFileSync(path, 'utf8');
  const line = `import { ${variable} } from './${slug}/index.js';`;
  const imports = [...text.split('\n').filter((one) => one.includes("'./")), line].toSorted(byPath);
  const rest = text.split('\n').filter((one) => !one.includes("'./"));
  const [first = '', ...others] = rest;
  const listed = others.join('\n').replace(/(?<=readonly Connector\[\] = \[)[^\]]*/, (list) => {
    const variables = list.split(',').map((one) => one.trim());
    return [...variables.filter(Boolean), variable].toSorted().join(', ');
  });
  await write(path, [first, ...imports, listed].join('\n'));
}

function byPath(one: string, other: string): number {
  return one.slice(one.indexOf("'")).localeCompare(other.slice(other.indexOf("'")));
}

async function write(path: string, text: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const options = await resolveConfig(join(import.meta.dirname, 'new-connector.ts'));
  writeFileSync(path, await format(text, { ...options, filepath: path }));
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { type CheckId, conformanceChecks } from './checks.js';

const PATH = join(import.meta.dirname, '../../connectors/CONFORMANCE.md');
const ids = Object.keys(conformanceChecks) as CheckId[];
const FAMILIES: Readonly<Record<string, string>> = {
  META: 'What a connector says of itself',
  AUTH: 'Who we are',
  WEBHOOK: 'What is told to us',
  'WEBHOOK-REG': 'Webhooks that we set up',
  NORMALIZE: 'From the provider’s words to ours',
  POLL: 'What we ask for',
  ACTION: 'What we do there',
};

/** What came of the checks, by connector. */
export interface ConformanceRecord {
  /** A check is passed when each of its cases is. */
  note(connector: string, id: CheckId, hasPassed: boolean): void;
  /** How many cases were run. */
  readonly size: number;
  toMarkdown(): Promise<string>;
}

export function createRecord(): ConformanceRecord {
  const found = new Map<string, Map<CheckId, boolean>>();
  let size = 0;
  return {
    note(connector, id, hasPassed) {
      size += 1;
      const verdicts = found.get(connector) ?? new Map<CheckId, boolean>();
      found.set(connector, verdicts.set(id, hasPassed && (verdicts.get(id) ?? true)));
    },
    get size() {
      return size;
    },
    async toMarkdown() {
      const families = Object.entries(FAMILIES).map(([family, title]) => toSection(family, title, found));
      const text = [INTRODUCTION, ...families].join('\n\n');
      return format(text, { ...(await resolveConfig(PATH)), parser: 'markdown' });
    },
  };
}

const INTRODUCTION = `# Conformance

What became of each check when the suite last ran over each connector: ✓ passed, ✗ failed, – has no such part. Written by
\`npm run conformance\`; the suite itself fails when this page is not what it found. An id never changes its meaning.`;

type Found = ReadonlyMap<string, ReadonlyMap<CheckId, boolean>>;

function toSection(family: string, title: string, found: Found): string {
  const columns = ids.filter((id) => id.slice(0, id.lastIndexOf('-')) === family);
  const rows = [...found]
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([connector, verdicts]) =>
      row([connector, ...columns.map((id) => MARKS[String(verdicts.get(id))] ?? '–')]),
    );
  const numbers = columns.map((id) => id.slice(family.length + 1));
  const table = [row([family, ...numbers]), row(['---', ...columns.map(() => ':-:')]), ...rows].join('\n');
  const meanings = columns
    .map((id) => `- ${id}: ${conformanceChecks[id][0]} – ${conformanceChecks[id][1]}`)
    .join('\n');
  return `## ${title}\n\n${table}\n\n${meanings}`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

const MARKS: Readonly<Partial<{ [verdict: string]: string }>> = { true: '✓', false: '✗' };

/** The page as it is committed. */
export function readTable(): string {
  return existsSync(PATH) ? readFileSync(PATH, 'utf8') : '';
}

export function writeTable(text: string): void {
  writeFileSync(PATH, text);
}

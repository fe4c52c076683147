import type { Row } from './rounds.js';
import type { Starts } from './starts.js';

const HEAD = [
  'connections',
  'load',
  'server',
  'req/s',
  'of the floor',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'app CPU µs',
  'PG CPU µs',
  'RSS MiB',
  'sent',
  'acknowledged',
  'stored',
];

/** The rows as a Markdown table, ready for bench/README.md. */
export function toTable(rows: readonly Row[]): string {
  return toMarkdown([HEAD, ...rows.map(toCells)]);
}

function toCells(row: Row): string[] {
  const latencies = Float64Array.from(row.latencies).toSorted();
  const at = (share: number) => (latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN).toFixed(1);
  const microseconds = (seconds: number) =>
    Number.isNaN(seconds) ? '–' : Math.round((seconds / latencies.length) * 1e6).toString();
  return [
    String(row.connections),
    row.isFull ? 'full' : 'half',
    row.name,
    grouped(median(row.rates)),
    `${median(row.ratios).toFixed(2)} (${Math.min(...row.ratios).toFixed(2)}–${Math.max(...row.ratios).toFixed(2)})`,
    at(0.5),
    at(0.95),
    at(0.99),
    microseconds(row.appSeconds),
    microseconds(row.databaseSeconds),
    row.mebibytes.toFixed(0),
    grouped(row.sent),
    grouped(row.acknowledged),
    row.stored ? grouped(row.stored.deliveries) : '–',
  ];
}

/** The start-up times as a Markdown table. */
export function toStartsTable({ first, later }: Starts): string {
  return toMarkdown([
    ['start', 'seconds to the first 200 of /readyz'],
    ['first (initdb, migrations)', listed(first)],
    ['later', listed(later)],
  ]);
}

function listed(seconds: readonly number[]): string {
  return seconds.map((value) => value.toFixed(2)).join(' · ');
}

/** p50, p95, p99 and the largest, as cells. */
export function percentiles(values: readonly number[]): string[] {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return [at(0.5), at(0.95), at(0.99), at(1)].map((value) => value.toFixed(1));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function toMarkdown([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

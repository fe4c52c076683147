import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeConformance } from './conformance.js';
import type { ConformanceSubject } from './conformance.js';
import { createRecord, readTable, writeTable } from './conformance/table.js';

const connectors = join(import.meta.dirname, '../connectors');
const folders = readdirSync(connectors, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const record = createRecord();
let cases = 0;

function pathOf(connector: string): string {
  return join(import.meta.dirname, 'conformance/subjects', `${connector}.ts`);
}

// No list to forget a connector in: a folder without a subject fails here.
it('every connector has a subject', () => {
  expect(folders.filter(({ name }) => !existsSync(pathOf(name)))).toEqual([]);
});

for (const { name } of folders.filter((folder) => existsSync(pathOf(folder.name)))) {
  const { subject } = (await import(pathOf(name))) as { subject: ConformanceSubject };
  cases += describeConformance(subject, record);
}

// Written by `npm run conformance`. A part of the suite, which -t picks, says nothing about the whole.
it('connectors/CONFORMANCE.md tells what was found', async ({ skip }) => {
  skip(record.size < cases, 'only a part of the suite was run');
  const found = await record.toMarkdown();
  if (process.env['UPDATE_CONFORMANCE'] === '1') writeTable(found);
  expect(readTable()).toBe(found);
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeConformance } from './conformance.js';
import type { ConformanceSubject } from './conformance.js';

const connectors = join(import.meta.dirname, '../connectors');
const folders = readdirSync(connectors, { withFileTypes: true }).filter((entry) => entry.isDirectory());

// No list to forget a connector in: a folder without a subject fails here.
for (const { name } of folders) {
  const module = (await import(`./conformance/subjects/${name}.ts`)) as { subject: ConformanceSubject };
  describeConformance(module.subject);
}

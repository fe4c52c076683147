/**
 * Compares the SDL with that of the last release, which is kept in schema/released.graphql: `npm run breaking`. Fails for
 * every change that breaks somebody's operation and that no page of docs/decisions owns up to by a line
 * "Breaks: `Type.field`". With `--release`, today's SDL becomes the released one.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { type GraphQLSchema, parse } from 'graphql';
import { buildSubgraphSchema } from '@apollo/subgraph';

const root = join(import.meta.dirname, '..');
const RELEASED = join(root, 'schema/released.graphql');
const CURRENT = join(root, 'schema/tributary.graphql');
const DECISIONS = join(root, 'docs/decisions');

/** One line for each change that breaks callers; those whose path (`Type.field`) has been decided on are left out. */
export async function findBreaking(
  released: string,
  current: string,
  decided: ReadonlySet<string>,
): Promise<readonly string[]> {
  const changes = await diff(toSchema(released), toSchema(current));
  return changes
    .filter(
      ({ criticality, path }) => criticality.level === CriticalityLevel.Breaking && !decided.has(path ?? ''),
    )
    .map(({ message, path }) => `${path}: ${message}`);
}

/** The paths that a page of decisions names as broken. */
export function readDecided(page: string): readonly string[] {
  const lines = page.split('\n').filter((line) => line.startsWith('Breaks: '));
  return lines.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path));
}

function toSchema(sdl: string): GraphQLSchema {
  return buildSubgraphSchema([{ typeDefs: parse(sdl) }]);
}

async function main(isRelease: boolean): Promise<void> {
  const current = readFileSync(CURRENT, 'utf8');
  if (isRelease) return writeFileSync(RELEASED, current);
  if (!existsSync(RELEASED)) return say('Nothing has been released yet, so nothing can break.');
  const pages = readdirSync(DECISIONS).map((file) => readFileSync(join(DECISIONS, file), 'utf8'));
  const breaking = await findBreaking(
    readFileSync(RELEASED, 'utf8'),
    current,
    new Set(pages.flatMap((page) => readDecided(page))),
  );
  if (breaking.length === 0) return say('Nothing breaks since the last release, but for what was decided.');
  process.exitCode = 1;
  say(
    `These break callers. Take them back, or write a page of docs/decisions that says so:\n${breaking.join('\n')}`,
  );
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (import.meta.main) await main(process.argv.includes('--release'));

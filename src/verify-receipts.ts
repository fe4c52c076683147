import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ConfigError } from './core/errors.js';
import type { WitnessedCount } from './receipt/witnessed.js';
import { type Refuted, type TrustedKey, type Verified, parseKey, verifyReceipts } from './receipt/verify.js';

interface Options {
  readonly key: readonly string[];
  readonly keys?: string;
  readonly checkpoint?: string;
  readonly witness?: string;
  readonly all?: true;
}

/** The one command that needs neither server nor database nor configuration. */
export function addVerifyReceipts(program: Command): void {
  program
    .command('verify-receipts')
    .description(
      'Checks an export of receipts offline: every receipt is in the log that the checkpoint signs for, and says what it said. Ends with 1 and names the first record that does not. See docs/receipts.md.',
    )
    .argument('<file>', 'the export; - is standard input')
    .option('--key <key>', 'a key to trust, as base64 or <name>+<id>+<key>; may be repeated', collect, [])
    .option('--keys <file>', 'keys to trust, as saved from /.well-known/tributary-keys.json')
    .option('--checkpoint <file>', 'an older checkpoint; the export must be made with since=<its size>')
    .option(
      '--witness <path>',
      'what a witness has kept: a checkpoint’s file, or a folder of such; finds a log that was rolled back',
    )
    .option('--all', 'the export must hold the whole log')
    .action(verify);
}

function collect(key: string, before: readonly string[]): string[] {
  return [...before, key];
}

async function verify(file: string, { key, keys, checkpoint, witness, all }: Options): Promise<void> {
  const trusted = [...key.map(requireKey), ...(keys === undefined ? [] : await readKeys(keys))];
  if (trusted.length === 0) throw new ConfigError('Name a key to trust, by --key or --keys.');
  const result = await verifyReceipts(file === '-' ? process.stdin : createReadStream(file), {
    keys: trusted,
    ...(checkpoint !== undefined && { older: await readFile(checkpoint, 'utf8') }),
    ...(witness !== undefined && { witnessed: await readNotes(witness) }),
    ...(all && { isWhole: true }),
  });
  process.stdout.write(`${result.isGenuine ? tellGenuine(result) : tellRefuted(result)}\n`);
  if (!result.isGenuine) process.exitCode = 1;
}

function requireKey(text: string): TrustedKey {
  const key = parseKey(text);
  if (key) return key;
  throw new ConfigError(`--key: "${text}" is neither 32 bytes in base64 nor <name>+<id>+<key>.`);
}

async function readKeys(file: string): Promise<TrustedKey[]> {
  try {
    const { keys } = JSON.parse(await readFile(file, 'utf8')) as { keys: { public_key: string }[] };
    return keys.map(({ public_key: text }) => requireKey(text));
  } catch (cause) {
    throw new ConfigError(`--keys: ${file} is not what /.well-known/tributary-keys.json answers.`, { cause });
  }
}

/** The file, or all files below the folder. */
async function readNotes(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw new ConfigError(`--witness: ${path} can’t be read.`, { cause: error });
  });
  if (!entries) return [await readFile(path, 'utf8')];
  const files = entries.filter((entry) => entry.isFile());
  const notes: string[] = [];
  // One after the other: a store may hold more of them than a process may open.
  for (const { parentPath, name } of files) notes.push(await readFile(join(parentPath, name), 'utf8'));
  return notes;
}

function tellGenuine({ origin, tenantId, size, first, count, withoutBody, witnessed }: Verified): string {
  const range = count === 0 ? 'no receipts' : `receipts ${first} to ${first + count - 1}`;
  const gone =
    withoutBody === 0 ? '' : ` The bodies of ${withoutBody} were deleted; that they were there, holds.`;
  const told = `Genuine: ${range} of ${size} in ${origin} (tenant ${tenantId}).${gone}`;
  return witnessed ? `${told} ${tellWitnessed(witnessed)}` : told;
}

function tellWitnessed({ held, open }: WitnessedCount): string {
  const agreed = `The witness saw no larger log, and ${held} of its checkpoints are this one’s past.`;
  if (open === 0) return agreed;
  return `${agreed} ${open} were not held against it: export from the first receipt on, or with since=<size>.`;
}

function tellRefuted({ line, receiptId, problem }: Refuted): string {
  const where = receiptId === undefined ? `line ${line}` : `line ${line}, receipt ${receiptId}`;
  return `Not genuine: ${where}: ${problem}.`;
}

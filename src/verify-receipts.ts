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
    .option(
      '--key <key>',
      'what to trust: a key as base64 or <name>+<id>+<key>, or a saved /.well-known/tributary-keys.json, by its path or its content; may be repeated',
      collect,
      [],
    )
    .option('--keys <file>', 'the same for a saved /.well-known/tributary-keys.json alone')
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
  const given = [...key.map(requireKeys), ...(keys === undefined ? [] : [readKeys(keys, '--keys')])];
  const trusted = (await Promise.all(given)).flat();
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

/** A key, or what /.well-known/tributary-keys.json answered: itself, or where it is. */
async function requireKeys(text: string): Promise<readonly TrustedKey[]> {
  const key = parseKey(text);
  return key ? [key] : (keysIn(text) ?? (await readKeys(text, '--key')));
}

async function readKeys(file: string, option: string): Promise<readonly TrustedKey[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const forms =
      option === '--key' ? ' nor 32 bytes in base64, <name>+<id>+<key> or the content of such a file' : '';
    throw new ConfigError(`${option}: ${file} is no file that can be read${forms}.`, { cause });
  });
  const keys = keysIn(text);
  if (keys) return keys;
  throw new ConfigError(`${option}: ${file} is not what /.well-known/tributary-keys.json answers.`);
}

/** Undefined where the text is not of that form. */
function keysIn(text: string): readonly TrustedKey[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys: { public_key: string }[] };
    const trusted = keys.map(({ public_key: key }) => parseKey(key));
    return trusted.every((key) => key !== undefined) ? trusted : undefined;
  } catch {
    // No JSON, or another.
    return undefined;
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

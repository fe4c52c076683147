import { open, readFile } from 'node:fs/promises';
import { isErrorCode } from '../data-dir.js';

/** Undefined when there is no such file. */
export async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The last lines of a file, nothing from before the given byte. */
export async function readTail(path: string, from: number): Promise<string> {
  const text = (await readFile(path)).subarray(from).toString();
  return text.trimEnd().split('\n').slice(-10).join('\n');
}

/** Makes the names in a folder as durable as the content of its files. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

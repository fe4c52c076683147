import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findBreaking, readDecided } from '../scripts/breaking.js';

const sdl = readFileSync('schema/tributary.graphql', 'utf8');
const NOTHING = new Set<string>();

/** The schema with one piece of its text replaced. */
function edited(from: string | RegExp, to: string): string {
  const text = sdl.replace(from, to);
  expect(text).not.toBe(sdl);
  return text;
}

describe('what breaks callers', () => {
  it('is nothing where nothing changed, and nothing that is only added', async () => {
    expect(await findBreaking(sdl, sdl, NOTHING)).toEqual([]);
    const added = edited('type PageInfo @shareable {', 'type PageInfo @shareable {\n  total: Int');
    expect(await findBreaking(sdl, added, NOTHING)).toEqual([]);
  });

  it.each<[string, string | RegExp, string, string]>([
    ['a field that goes', /\n {2}"""[^"]*"""\n {2}hasNextPage: .*/, '', 'PageInfo.hasNextPage'],
    ['a field that may be null now', /hasNextPage: Boolean!/, 'hasNextPage: Boolean', 'PageInfo.hasNextPage'],
    [
      'an input that wants more',
      'input ReplayInput {',
      'input ReplayInput {\n  why: String!',
      'ReplayInput.why',
    ],
    [
      'a value of an enum that goes',
      /\n {2}"""[^"]*"""\n {2}WEBHOOK_TOKEN/,
      '',
      'RotateTarget.WEBHOOK_TOKEN',
    ],
  ])('is %s, unless a decision names it', async (_name, from, to, path) => {
    const changed = edited(from, to);
    const breaking = await findBreaking(sdl, changed, NOTHING);
    expect(breaking).toEqual([expect.stringContaining(path)]);
    const decided = new Set(readDecided(`# A page\n\nBreaks: \`Other.field\`, \`${path}\`\n`));
    expect(await findBreaking(sdl, changed, decided)).toEqual([]);
  });
});

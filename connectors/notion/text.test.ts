import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, listAt, textAt } from '../../src/connector/index.js';
import { type Block, requestsOf, toBlocks } from './blocks.js';
import { toEnhanced } from './enhanced-markdown.js';

const paragraph = (...richText: readonly object[]) => ({
  type: 'paragraph',
  paragraph: { rich_text: richText },
});
const text = (content: string, more: object = {}) => ({ type: 'text', text: { content }, ...more });

/** Each block with how deep it lies. */
function* walk(blocks: readonly unknown[], depth = 0): Generator<readonly [Block, number]> {
  for (const block of blocks as readonly Block[]) {
    yield [block, depth];
    yield* walk(listAt(block, block.type, 'children'), depth + 1);
  }
}

/** All text, in one. */
function contentOf(blocks: readonly Block[]): string {
  const texts: string[] = [];
  JSON.stringify(blocks, (key, value: unknown) => {
    if (key === 'content') texts.push(String(value));
    return value;
  });
  return texts.join('');
}

describe('Markdown as blocks', () => {
  it.each<[string, readonly object[]]>([
    ['The door.', [paragraph(text('The door.'))]],
    [
      'It does **not *close***, see `door.ts`',
      [
        paragraph(
          text('It does '),
          text('not ', { annotations: { bold: true } }),
          text('close', { annotations: { bold: true, italic: true } }),
          text(', see '),
          text('door.ts', { annotations: { code: true } }),
        ),
      ],
    ],
    [
      '[here](https://shop.example) [not](javascript:x)',
      [
        paragraph(
          { type: 'text', text: { content: 'here', link: { url: 'https://shop.example' } } },
          text(' not'),
        ),
      ],
    ],
    ['##### Deep', [{ type: 'heading_3', heading_3: { rich_text: [text('Deep')] } }]],
    ['```ts\na\n```', [{ type: 'code', code: { rich_text: [text('a')], language: 'typescript' } }]],
    ['```nothing\na\n```', [{ type: 'code', code: { rich_text: [text('a')], language: 'plain text' } }]],
    ['---', [{ type: 'divider', divider: {} }]],
    ['- [x] done', [{ type: 'to_do', to_do: { rich_text: [text('done')], checked: true } }]],
    [
      '1. one\n   - two',
      [
        {
          type: 'numbered_list_item',
          numbered_list_item: {
            rich_text: [text('one')],
            children: [{ type: 'bulleted_list_item', bulleted_list_item: { rich_text: [text('two')] } }],
          },
        },
      ],
    ],
    [
      '> said\n>\n> twice',
      [{ type: 'quote', quote: { rich_text: [text('said')], children: [paragraph(text('twice'))] } }],
    ],
    [
      'a|b\n-|-\n1',
      [
        {
          type: 'table',
          table: {
            table_width: 2,
            has_column_header: true,
            children: [
              { type: 'table_row', table_row: { cells: [[text('a')], [text('b')]] } },
              { type: 'table_row', table_row: { cells: [[text('1')], []] } },
            ],
          },
        },
      ],
    ],
    ['<!-- nothing -->', []],
  ])('%j', (markdown, expected) => {
    expect(toBlocks(markdown)).toEqual(expected);
  });

  it('splits text where Notion would refuse it, and no character', () => {
    const [block] = toBlocks(`${'a'.repeat(1_999)}😀${'b'.repeat(2_100)}`);
    const pieces = listAt(block, 'paragraph', 'rich_text').map(
      (piece) => textAt(piece, 'text', 'content') ?? '',
    );
    expect(pieces.map((piece) => piece.length)).toEqual([1_999, 2_000, 102]);
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
  });

  it('puts what lies too deep beside its parent', () => {
    const blocks = toBlocks('- 1\n  - 2\n    - 3\n      - 4\n        - 5');
    const depths = [...walk(blocks)].map(([block, depth]) => [
      textAt(listAt(block, block.type, 'rich_text')[0], 'text', 'content'),
      depth,
    ]);
    expect(depths).toEqual([
      ['1', 0],
      ['2', 1],
      ['3', 2],
      ['4', 2],
      ['5', 2],
    ]);
  });

  it('keeps every limit of a request, and loses no word, whatever it is made of', () => {
    const bits = [
      '- a\n',
      '  - b\n',
      '    - c\n',
      '      - d\n',
      '> ',
      '# h\n',
      '\n',
      '**x** y ',
      'w ',
      'a|b\n-|-\n1|2\n',
    ];
    const parts = fc.array(
      fc
        .tuple(fc.constantFrom(...bits), fc.constantFrom(1, 1, 1, 120, 300))
        .map(([bit, times]) => bit.repeat(times)),
      { maxLength: 30 },
    );
    const property = fc.property(parts, (made) => {
      const blocks = toBlocks(made.join(''));
      const requests = requestsOf(blocks);
      expect(requests.flat()).toEqual(blocks);
      for (const request of requests) {
        const all = [...walk(request)];
        expect(request.length).toBeLessThanOrEqual(100);
        expect(all.length).toBeLessThanOrEqual(1_000);
        for (const [block, depth] of all) {
          expect(depth).toBeLessThanOrEqual(2);
          expect(isObject(block[block.type])).toBe(true);
          expect(listAt(block, block.type, 'children').length).toBeLessThanOrEqual(100);
          expect(listAt(block, block.type, 'rich_text').length).toBeLessThanOrEqual(100);
        }
      }
      // The head of a table is said again where it goes on in another.
      const said = made.join('').split('w').length;
      expect(contentOf(blocks).split('w').length).toBeGreaterThanOrEqual(said);
    });
    fc.assert(property, { numRuns: 40 });
  });
});

describe('Markdown as Notion’s own', () => {
  it.each([
    ['**bold** *slanted* ~~gone~~ `code`', '**bold** *slanted* ~~gone~~ `code`'],
    ['# One\n\nTwo', '# One\nTwo'],
    ['- a\n  - b\n- [x] c', '- a\n\t- b\n- [x] c'],
    ['3. a\n4. b', '3. a\n4. b'],
    ['> said\n>\n> twice', '> said\n\ttwice'],
    ['one  \ntwo', 'one<br>two'],
    ['```ts\na < b\n```', '```ts\na < b\n```'],
    ['````\n```\n````', '````\n```\n````'],
    ['[here](https://shop.example/a_(b))', '[here](https://shop.example/a_%28b%29)'],
    ['[x](javascript:x)', 'x'],
    ['\\# no heading', '\\# no heading'],
    ['1\\. no list', '1\\. no list'],
    ['a $b$ {color="red"} ^c', 'a \\$b\\$ \\{color="red"\\} \\^c'],
  ])('%j is %j', (markdown, expected) => {
    expect(toEnhanced(markdown)).toBe(expected);
  });

  it.each([
    '<mention-user url="user://1"/>',
    '&lt;mention-user url="user://1"/&gt;',
    '`<mention-user url="user://1"/>`',
    '[<page url="x">](https://shop.example)',
    '![<database url="x">](https://shop.example)',
    '# <details>',
    'a | b\n-|-\n<callout> | 2',
  ])('%j has no tag', (markdown) => {
    expect(toEnhanced(markdown).replaceAll(/\\./g, '')).not.toMatch(/</);
  });
});

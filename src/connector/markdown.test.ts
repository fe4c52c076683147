import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isReadable } from './markdown-cost.js';
import type { MarkdownBlock } from './markdown-tree.js';
import { parseMarkdown, plainTextOf } from './markdown.js';

const text = (value: string) => ({ type: 'text', value });
const paragraph = (...children: unknown[]) => ({ type: 'paragraph', children });

function blocksOf(markdown: string): readonly MarkdownBlock[] {
  return parseMarkdown(markdown).children;
}

describe('parseMarkdown', () => {
  it.each([
    [
      '# A *b*',
      [{ type: 'heading', depth: 1, children: [text('A '), { type: 'emphasis', children: [text('b')] }] }],
    ],
    [
      '**a** ~~b~~',
      [
        paragraph({ type: 'strong', children: [text('a')] }, text(' '), {
          type: 'delete',
          children: [text('b')],
        }),
      ],
    ],
    ['a  \nb', [paragraph(text('a'), { type: 'break' }, text('b'))]],
    ['a<br/>b', [paragraph(text('a'), { type: 'break' }, text('b'))]],
    ['```ts\na < b\n```', [{ type: 'code', language: 'ts', value: 'a < b' }]],
    ['`a`', [paragraph({ type: 'inlineCode', value: 'a' })]],
    ['> a', [{ type: 'blockquote', children: [paragraph(text('a'))] }]],
    [
      '3. a',
      [{ type: 'list', start: 3, children: [{ type: 'listItem', children: [paragraph(text('a'))] }] }],
    ],
    [
      '- [x] a',
      [
        {
          type: 'list',
          start: null,
          children: [{ type: 'listItem', checked: true, children: [paragraph(text('a'))] }],
        },
      ],
    ],
    ['---', [{ type: 'thematicBreak' }]],
    ['![a](https://x.test/i.png)', [paragraph({ type: 'image', url: 'https://x.test/i.png', alt: 'a' })]],
    [
      'https://x.test',
      [paragraph({ type: 'link', url: 'https://x.test', children: [text('https://x.test')] })],
    ],
  ])('reads %j', (markdown, blocks) => {
    expect(blocksOf(markdown)).toEqual(blocks);
  });

  it('reads a table, its first row being the head', () => {
    const cell = (value: string) => ({ type: 'tableCell', children: [text(value)] });
    expect(blocksOf('| a | b |\n| - | -: |\n| c | d |')).toEqual([
      {
        type: 'table',
        align: [null, 'right'],
        children: [
          { type: 'tableRow', children: [cell('a'), cell('b')] },
          { type: 'tableRow', children: [cell('c'), cell('d')] },
        ],
      },
    ]);
  });

  it('resolves references by the first definition, wherever it stands', () => {
    expect(blocksOf('[a][x]\n\n> [x]: https://one.test\n\n[x]: https://two.test')).toEqual([
      paragraph({ type: 'link', url: 'https://one.test', children: [text('a')] }),
      { type: 'blockquote', children: [] },
    ]);
  });

  it('keeps a footnote as a paragraph, and HTML as text but for comments', () => {
    expect(blocksOf('a[^1]\n\n[^1]: why')).toEqual([
      paragraph(text('a'), text('[^1]')),
      paragraph(text('[^1]: why')),
    ]);
    expect(blocksOf('<!-- nobody sees this -->\n\nx <b>y</b><!-- nor this -->')).toEqual([
      paragraph(text('x '), text('<b>'), text('y'), text('</b>')),
    ]);
  });

  it('takes what would take long to read for plain paragraphs', () => {
    const hostile = [
      'a '.repeat(40_000),
      '> '.repeat(30) + 'a',
      '- a\n'.repeat(3_000),
      '> > > > > > > > a\n\n'.repeat(200),
      '*a'.repeat(5_000),
      '[a][b]'.repeat(2_500),
    ];
    for (const each of hostile) {
      expect(isReadable(each, 24)).toBe(false);
      expect(blocksOf(each).every(({ type }) => type === 'paragraph')).toBe(true);
    }
    expect(isReadable('- a **b** [c](https://d.test)\n'.repeat(500), 24)).toBe(true);
  });

  it('is no deeper than a reader may recurse, and loses no text there', () => {
    const nested = Array.from(
      { length: 60 },
      (_, depth) => `${' '.repeat(2 * depth)}- level${String(depth)}`,
    );
    const tree = parseMarkdown(nested.join('\n'));
    expect(depthOf(tree)).toBeLessThan(60);
    expect(plainTextOf(tree)).toContain('level59');
    const emphasis = parseMarkdown(`${'*a **b '.repeat(200)}z${' b** a*'.repeat(200)}`);
    expect(depthOf(emphasis)).toBeLessThan(60);
  });

  it('has a tree for every text', () => {
    const pieces = fc.constantFrom(
      '*',
      '_',
      '`',
      '[',
      ']',
      '(',
      ')',
      '!',
      '> ',
      '- ',
      '1. ',
      '|',
      '\n',
      '\n\n',
      '#',
      '<',
      '>',
      '~~',
      '    ',
      'a',
      'https://x.test',
      '\\',
      '&amp;',
      '[^1]',
      '[^1]: ',
      '\u0000',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces, { maxLength: 60 }).map((all) => all.join('')),
        ),
        (markdown) => {
          const tree = parseMarkdown(markdown);
          expect(depthOf(tree)).toBeLessThan(60);
          expect(parseMarkdown(markdown)).toEqual(tree);
        },
      ),
      { numRuns: 300 },
    );
  });
});

function depthOf(node: object): number {
  const children = 'children' in node ? (node.children as object[]) : [];
  return 1 + Math.max(0, ...children.map(depthOf));
}

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAdf, toAdf } from './adf.js';

const nodes = (...names: string[]) => ({
  type: 'array',
  items: { anyOf: names.map((name) => ({ $ref: `#/$defs/${name}` })) },
});
const node = (type: string, content?: object, attrs?: object) => ({
  type: 'object',
  additionalProperties: false,
  required: ['type', ...(content ? ['content'] : []), ...(attrs ? ['attrs'] : [])],
  properties: { type: { const: type }, ...(content && { content }), ...(attrs && { attrs }) },
});
const attributes = (properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});
const simple = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: { type: { enum: ['strong', 'em', 'strike'] } },
};
const code = { ...simple, properties: { type: { const: 'code' } } };
const link = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'attrs'],
  properties: {
    type: { const: 'link' },
    attrs: attributes({ href: { type: 'string', pattern: '^(https?:|mailto:)' } }),
  },
};
const textWith = (...marks: object[]) => ({
  type: 'object',
  additionalProperties: false,
  required: ['type', 'text'],
  properties: {
    type: { const: 'text' },
    text: { type: 'string', minLength: 1 },
    marks: { type: 'array', uniqueItems: true, minItems: 1, items: { anyOf: marks } },
  },
});
const inside = nodes('paragraph', 'bulletList', 'orderedList', 'codeBlock');

/**
 * What of the format we write, as its pages say: https://developer.atlassian.com/cloud/jira/platform/apis/document/nodes/.
 * Written for this test from those pages, and not Atlassian's own schema.
 */
const schema = {
  $ref: '#/$defs/doc',
  $defs: {
    doc: {
      ...node(
        'doc',
        nodes(
          'paragraph',
          'heading',
          'blockquote',
          'bulletList',
          'orderedList',
          'codeBlock',
          'table',
          'rule',
        ),
      ),
      required: ['type', 'version', 'content'],
      properties: {
        type: { const: 'doc' },
        version: { const: 1 },
        content: nodes(
          'paragraph',
          'heading',
          'blockquote',
          'bulletList',
          'orderedList',
          'codeBlock',
          'table',
          'rule',
        ),
      },
    },
    paragraph: node('paragraph', nodes('text', 'hardBreak')),
    heading: node('heading', nodes('text', 'hardBreak'), attributes({ level: { enum: [1, 2, 3, 4, 5, 6] } })),
    blockquote: node('blockquote', { ...inside, minItems: 1 }),
    bulletList: node('bulletList', { ...nodes('listItem'), minItems: 1 }),
    orderedList: node(
      'orderedList',
      { ...nodes('listItem'), minItems: 1 },
      attributes({ order: { type: 'integer', minimum: 0 } }),
    ),
    listItem: node('listItem', {
      ...inside,
      minItems: 1,
      prefixItems: [{ anyOf: [{ $ref: '#/$defs/paragraph' }, { $ref: '#/$defs/codeBlock' }] }],
    }),
    codeBlock: {
      ...node('codeBlock', {
        type: 'array',
        maxItems: 1,
        items: {
          ...textWith(),
          properties: { type: { const: 'text' }, text: { type: 'string', minLength: 1 } },
        },
      }),
      properties: {
        type: { const: 'codeBlock' },
        attrs: attributes({ language: { type: 'string' } }),
        content: {
          type: 'array',
          maxItems: 1,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['type', 'text'],
            properties: { type: { const: 'text' }, text: { type: 'string', minLength: 1 } },
          },
        },
      },
    },
    table: node('table', { ...nodes('tableRow'), minItems: 1 }),
    tableRow: node('tableRow', { ...nodes('tableHeader', 'tableCell'), minItems: 1 }),
    tableHeader: node('tableHeader', { ...nodes('paragraph'), minItems: 1 }),
    tableCell: node('tableCell', { ...nodes('paragraph'), minItems: 1 }),
    rule: node('rule'),
    hardBreak: node('hardBreak'),
    text: { anyOf: [textWith(simple, link), textWith(code, link)] },
  },
};
const validate = new Ajv2020({ strict: false }).compile(schema);

function expectDocument(markdown: string): void {
  validate(toAdf(markdown));
  expect([markdown, validate.errors ?? []]).toEqual([markdown, []]);
}

const text = (value: string, ...marks: object[]) => ({
  type: 'text',
  text: value,
  ...(marks.length > 0 && { marks }),
});
const paragraph = (...content: object[]) => ({ type: 'paragraph', content });
const item = (...content: object[]) => ({ type: 'listItem', content });

describe('Markdown as a document', () => {
  it.each([
    ['', []],
    [
      'a **b** _c_ ~~d~~',
      [
        paragraph(
          text('a '),
          text('b', { type: 'strong' }),
          text(' '),
          text('c', { type: 'em' }),
          text(' '),
          text('d', { type: 'strike' }),
        ),
      ],
    ],
    ['## A', [{ type: 'heading', attrs: { level: 2 }, content: [text('A')] }]],
    ['[a](https://x.test)', [paragraph(text('a', { type: 'link', attrs: { href: 'https://x.test' } }))]],
    ['[a](javascript:alert)', [paragraph(text('a'))]],
    ['**`a`**', [paragraph(text('a', { type: 'code' }))]],
    [
      '![a](https://x.test/i.png)',
      [paragraph(text('a', { type: 'link', attrs: { href: 'https://x.test/i.png' } }))],
    ],
    ['```js\nx\n```', [{ type: 'codeBlock', attrs: { language: 'js' }, content: [text('x')] }]],
    ['- [x] a', [{ type: 'bulletList', content: [item(paragraph(text('☑ '), text('a')))] }]],
    ['2. a', [{ type: 'orderedList', attrs: { order: 2 }, content: [item(paragraph(text('a')))] }]],
    ['- # a', [{ type: 'bulletList', content: [item(paragraph(text('a', { type: 'strong' })))] }]],
    [
      '- - a',
      [
        {
          type: 'bulletList',
          content: [item(paragraph(), { type: 'bulletList', content: [item(paragraph(text('a')))] })],
        },
      ],
    ],
    ['> a\n> > b', [{ type: 'blockquote', content: [paragraph(text('a')), paragraph(text('b'))] }]],
    [
      '> | a | b |\n> |-|-|',
      [{ type: 'blockquote', content: [paragraph(text('a'), text(' | '), text('b'))] }],
    ],
    ['![]()', [paragraph()]],
    ['---', [{ type: 'rule' }]],
  ])('of %j', (markdown, content) => {
    expect(toAdf(markdown)).toEqual({ type: 'doc', version: 1, content });
    expectDocument(markdown);
  });

  it('is a document of the format, whatever the text', () => {
    const pieces = fc.constantFrom(
      '*',
      '**',
      '`',
      '[a](https://x.test)',
      '![](x)',
      '> ',
      '- ',
      '- [ ] ',
      '1. ',
      '| a | b |\n|-|-|\n',
      '\n',
      '\n\n',
      '# ',
      '<br>',
      '~~',
      '    ',
      'a',
      '---\n',
      '```\n',
    );
    const markdown = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
    );
    fc.assert(fc.property(markdown, expectDocument), { numRuns: 500 });
  });

  it('keeps every word', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 10 }), (words) => {
        const read = readAdf(toAdf(`# ${words[0]}\n\n> - **${words.join('** and ')}`));
        for (const word of words) expect(read).toContain(word);
      }),
    );
  });
});

describe('a document as text', () => {
  it('is its lines, and text is itself', () => {
    expect(readAdf(toAdf('# A\n\nb  \nc\n\n- d'))).toBe('A\nb\nc\nd');
    expect(readAdf('as it is')).toBe('as it is');
    for (const nothing of [null, undefined, '', 7, {}, [], { content: [7] }])
      expect(readAdf(nothing)).toBeUndefined();
  });

  it('has an end, however deep the document', () => {
    let deep: object = text('a');
    for (let depth = 0; depth < 10_000; depth += 1) deep = paragraph(deep);
    expect(readAdf(deep)).toBeUndefined();
  });
});

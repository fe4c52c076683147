import {
  type JsonObject,
  type MarkdownBlock,
  type MarkdownInline,
  type MarkdownItem,
  type MarkdownList,
  type MarkdownTable,
  listAt,
  parseMarkdown,
  textAt,
} from '../../src/connector/index.js';

/** A node of the Atlassian Document Format. https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/ */
export interface AdfNode {
  readonly type: string;
  readonly version?: number;
  readonly text?: string;
  readonly attrs?: JsonObject;
  readonly marks?: readonly Mark[];
  readonly content?: readonly AdfNode[];
}

interface Mark {
  readonly type: 'strong' | 'em' | 'strike' | 'code' | 'link';
  readonly attrs?: JsonObject;
}

/** Not everything may stand everywhere: a quote and an item hold paragraphs, lists and code, and no more. */
type Place = 'document' | 'inside';

/** Markdown as a document. Total; what the format has no node for keeps its text. */
export function toAdf(markdown: string): AdfNode {
  return { type: 'doc', version: 1, content: blocksOf(parseMarkdown(markdown).children, 'document') };
}

function blocksOf(blocks: readonly MarkdownBlock[], place: Place): AdfNode[] {
  return blocks.flatMap((block) => blockOf(block, place));
}

function blockOf(block: MarkdownBlock, place: Place): AdfNode[] {
  switch (block.type) {
    case 'paragraph':
      return [paragraph(inlinesOf(block.children))];
    case 'heading':
      if (place === 'inside') return [paragraph(inlinesOf(block.children, [{ type: 'strong' }]))];
      return [{ type: 'heading', attrs: { level: block.depth }, content: inlinesOf(block.children) }];
    case 'blockquote': {
      const content = blocksOf(block.children, 'inside');
      if (place === 'inside' || content.length === 0) return content;
      return [{ type: 'blockquote', content }];
    }
    case 'list':
      return listOf(block);
    case 'code':
      return [codeOf(block.value, block.language)];
    case 'table':
      return place === 'inside' ? rowsAsText(block) : [tableOf(block)];
    case 'thematicBreak':
      return place === 'inside' ? [] : [{ type: 'rule' }];
    default:
      return block satisfies never;
  }
}

function paragraph(content: readonly AdfNode[]): AdfNode {
  return { type: 'paragraph', content };
}

function listOf({ start, children }: MarkdownList): AdfNode[] {
  const content = children.map(itemOf);
  if (content.length === 0) return [];
  return start === null
    ? [{ type: 'bulletList', content }]
    : [{ type: 'orderedList', attrs: { order: start }, content }];
}

/** An item begins with a paragraph or with code, never with another list. */
function itemOf({ checked, children }: MarkdownItem): AdfNode {
  const blocks = blocksOf(children, 'inside');
  const box = checked === undefined ? undefined : text(checked ? '☑ ' : '☐ ');
  const [first, ...rest] = blocks;
  const leads = first?.type === 'paragraph' || (first?.type === 'codeBlock' && !box);
  const head = leads ? first : paragraph([]);
  const boxed = box ? { ...head, content: [box, ...(head.content ?? [])] } : head;
  return { type: 'listItem', content: [boxed, ...(leads ? rest : blocks)] };
}

function codeOf(value: string, language: string | null): AdfNode {
  return {
    type: 'codeBlock',
    ...(language && { attrs: { language } }),
    content: value === '' ? [] : [text(value)],
  };
}

function tableOf({ children }: MarkdownTable): AdfNode {
  const content = children.map((row, index) => ({
    type: 'tableRow',
    content: row.children.map((cell) => ({
      type: index === 0 ? 'tableHeader' : 'tableCell',
      content: [paragraph(inlinesOf(cell.children))],
    })),
  }));
  return { type: 'table', content };
}

function rowsAsText({ children }: MarkdownTable): AdfNode[] {
  return children.map((row) =>
    paragraph(
      row.children.flatMap((cell, index) => [
        ...(index > 0 ? [text(' | ')] : []),
        ...inlinesOf(cell.children),
      ]),
    ),
  );
}

function inlinesOf(inlines: readonly MarkdownInline[], marks: readonly Mark[] = []): AdfNode[] {
  return inlines.flatMap((inline) => inlineOf(inline, marks));
}

function inlineOf(inline: MarkdownInline, marks: readonly Mark[]): AdfNode[] {
  switch (inline.type) {
    case 'text':
      return texts(inline.value, marks);
    case 'emphasis':
      return inlinesOf(inline.children, withMark(marks, { type: 'em' }));
    case 'strong':
      return inlinesOf(inline.children, withMark(marks, { type: 'strong' }));
    case 'delete':
      return inlinesOf(inline.children, withMark(marks, { type: 'strike' }));
    case 'inlineCode':
      // Code goes together with a link and with nothing else.
      return texts(inline.value, [...marks.filter(({ type }) => type === 'link'), { type: 'code' }]);
    case 'break':
      return [{ type: 'hardBreak' }];
    case 'link':
      return inlinesOf(inline.children, withLink(marks, inline.url));
    case 'image':
      // Jira shows only what was uploaded to it.
      return texts(inline.alt || inline.url, withLink(marks, inline.url));
    default:
      return inline satisfies never;
  }
}

/** An empty text is no node. */
function texts(value: string, marks: readonly Mark[]): AdfNode[] {
  return value === '' ? [] : [text(value, marks)];
}

function text(value: string, marks: readonly Mark[] = []): AdfNode {
  return { type: 'text', text: value, ...(marks.length > 0 && { marks }) };
}

function withMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  return marks.some(({ type }) => type === mark.type) ? marks : [...marks, mark];
}

/** Only where a link leads somewhere a reader can go without harm. */
function withLink(marks: readonly Mark[], url: string): readonly Mark[] {
  return /^(https?:\/\/|mailto:)\S+$/i.test(url)
    ? withMark(marks, { type: 'link', attrs: { href: url } })
    : marks;
}

const BLOCKS = new Set(['paragraph', 'heading', 'listItem', 'codeBlock', 'tableRow', 'blockquote']);
const MAX_DEPTH = 50;

/** What a reader reads of a document that Jira answered; text stays as it is. Undefined for anything else. */
export function readAdf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return (
    textOf(value, 0)
      .replaceAll(/\n{2,}/g, '\n')
      .trim() || undefined
  );
}

function textOf(node: unknown, depth: number): string {
  if (depth > MAX_DEPTH) return '';
  const type = textAt(node, 'type') ?? '';
  const own = textAt(node, 'text') ?? textAt(node, 'attrs', 'text') ?? (type === 'hardBreak' ? '\n' : '');
  const inner = listAt(node, 'content').map((child) => textOf(child, depth + 1));
  return `${own}${inner.join('')}${BLOCKS.has(type) ? '\n' : ''}`;
}

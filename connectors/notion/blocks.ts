import {
  type MarkdownBlock,
  type MarkdownInline,
  type MarkdownItem,
  type MarkdownList,
  type MarkdownTable,
  parseMarkdown,
  plainTextOf,
} from '../../src/connector/index.js';
import { languageOf } from './languages.js';
import { type RichText, plainText, richTextOf } from './rich-text.js';

/** A block as Notion takes it: its type, and under the name of the type what it holds. https://developers.notion.com/reference/block */
export interface Block {
  readonly type: string;
  readonly [content: string]: unknown;
}

/** https://developers.notion.com/reference/request-limits: of any list in a request. */
const LIST_LIMIT = 100;
/** A block, its children, and theirs: no request goes deeper. */
const DEEPEST = 2;

/** Markdown as blocks. Total; what lies too deep for Notion stands beside its parent instead of in it. */
export function toBlocks(markdown: string): Block[] {
  return blocksOf(parseMarkdown(markdown).children, 0);
}

function blocksOf(blocks: readonly MarkdownBlock[], depth: number): Block[] {
  return blocks.flatMap((block) => blockOf(block, depth));
}

function blockOf(block: MarkdownBlock, depth: number): Block[] {
  switch (block.type) {
    case 'paragraph':
      return textBlocks('paragraph', richTextOf(block.children));
    case 'heading':
      // Notion has three, and in some versions a fourth.
      return textBlocks(`heading_${Math.min(block.depth, 3)}`, richTextOf(block.children));
    case 'blockquote':
      return parentOf('quote', block.children, depth);
    case 'list':
      return listOf(block, depth);
    case 'code':
      return textBlocks('code', plainText(block.value), { language: languageOf(block.language) });
    case 'table':
      return depth < DEEPEST ? tablesOf(block) : rowsAsText(block);
    case 'thematicBreak':
      return [{ type: 'divider', divider: {} }];
    default:
      return block satisfies never;
  }
}

/** More text than one block takes goes on in the next, of the same kind. */
function textBlocks(type: string, richText: readonly RichText[], more: object = {}): Block[] {
  return parts(richText).map((part) => ({ type, [type]: { rich_text: part, ...more } }));
}

function listOf({ start, children }: MarkdownList, depth: number): Block[] {
  const type = start === null ? 'bulleted_list_item' : 'numbered_list_item';
  return children.flatMap((item) => itemOf(item, type, depth));
}

function itemOf({ checked, children }: MarkdownItem, type: string, depth: number): Block[] {
  return checked === undefined
    ? parentOf(type, children, depth)
    : parentOf('to_do', children, depth, { checked });
}

/** A block with text of its own, which is its first paragraph, and the rest below it. */
function parentOf(
  type: string,
  content: readonly MarkdownBlock[],
  depth: number,
  more: object = {},
): Block[] {
  const [first, ...rest] = content;
  const leads = first?.type === 'paragraph';
  const [own = [], ...tooLong] = parts(leads ? richTextOf(first.children) : []);
  const below = [
    ...tooLong.map((richText) => ({ type: 'paragraph', paragraph: { rich_text: richText } })),
    ...blocksOf(leads ? rest : content, Math.min(depth + 1, DEEPEST)),
  ];
  const inside = depth < DEEPEST ? below.slice(0, LIST_LIMIT) : [];
  const children = inside.length > 0 ? { children: inside } : {};
  return [{ type, [type]: { rich_text: own, ...more, ...children } }, ...below.slice(inside.length)];
}

/** A table of more rows than one takes goes on in another, with the same head. */
function tablesOf({ children: [head, ...rows] }: MarkdownTable): Block[] {
  const width = Math.min(head?.children.length ?? 0, LIST_LIMIT);
  if (!head || width === 0) return [];
  return parts(rows, LIST_LIMIT - 1).map((part) => ({
    type: 'table',
    table: {
      table_width: width,
      has_column_header: true,
      children: [head, ...part].map((row) => ({
        type: 'table_row',
        table_row: { cells: cellsOf(row, width) },
      })),
    },
  }));
}

/** As many as the table is wide. */
function cellsOf(row: MarkdownTable['children'][number], width: number): RichText[][] {
  return Array.from({ length: width }, (_, index) => {
    const cell = row.children[index];
    if (!cell) return [];
    const richText = richTextOf(cell.children);
    return richText.length <= LIST_LIMIT ? richText : plainText(textOf(cell));
  });
}

function rowsAsText({ children }: MarkdownTable): Block[] {
  return children.flatMap((row) => textBlocks('paragraph', plainText(row.children.map(textOf).join(' | '))));
}

function textOf({ children }: { readonly children: readonly MarkdownInline[] }): string {
  return children.map((inline) => plainTextOf(inline)).join('');
}

/** Lists of as many as Notion takes, and one empty one where there is nothing. */
function parts<T>(all: readonly T[], size = LIST_LIMIT): T[][] {
  const count = Math.max(1, Math.ceil(all.length / size));
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}

/** Notion takes a thousand blocks and 500 kB in one request; the number of blocks could not be verified. */
const TOTAL_LIMIT = 1_000;
const BYTES_LIMIT = 400_000;

/** The blocks in as few requests as Notion lets them be sent. */
export function requestsOf(blocks: readonly Block[]): Block[][] {
  const requests: Block[][] = [];
  let [total, bytes] = [0, 0];
  for (const block of blocks) {
    const [size, length] = [countOf(block), Buffer.byteLength(JSON.stringify(block))];
    const current = requests.at(-1);
    const isFull =
      !current || current.length >= LIST_LIMIT || total + size > TOTAL_LIMIT || bytes + length > BYTES_LIMIT;
    if (isFull) [total, bytes] = [0, 0];
    if (isFull) requests.push([block]);
    else current.push(block);
    [total, bytes] = [total + size, bytes + length];
  }
  return requests;
}

/** A block and all that is in it. */
function countOf(block: Block): number {
  const { children = [] } = block[block.type] as { readonly children?: readonly Block[] };
  return 1 + children.reduce((sum, child) => sum + countOf(child), 0);
}

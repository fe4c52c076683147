import type { Definition, Nodes, PhrasingContent, Root, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { isReadable } from './markdown-cost.js';
import type { MarkdownBlock, MarkdownInline, MarkdownItem, MarkdownRoot } from './markdown-tree.js';

/** How deep a tree goes: lists in quotes in lists. Deeper is only text, so that whoever reads a tree may recurse. */
const MAX_DEPTH = 24;

type Definitions = ReadonlyMap<string, Definition>;

/**
 * Markdown as people write it in issues and chats: CommonMark with GitHub's tables, strikethrough, task lists and bare
 * links. Total: every text has a tree, of the few types of {@link MarkdownRoot}. HTML is text, but for comments, which nobody
 * is meant to see, and `<br>`; references are resolved; a footnote is a paragraph where it stands. A text that would
 * take long to read is paragraphs of plain text.
 */
export function parseMarkdown(text: string): MarkdownRoot {
  if (!isReadable(text, MAX_DEPTH)) return { type: 'root', children: plainParagraphs(text) };
  const tree = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const definitions = definitionsOf(tree);
  return { type: 'root', children: tree.children.flatMap((node) => blocksOf(node, definitions, 1)) };
}

/** What a reader would read of it, without any form: the text of a link, the alternative text of an image. */
export function plainTextOf(node: Nodes | MarkdownRoot | MarkdownBlock | MarkdownInline): string {
  const texts: string[] = [];
  const rest: Nodes[] = [node as Nodes];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if ('children' in next) rest.push(...next.children.toReversed());
    else if ('value' in next) texts.push(next.value);
    else if ('alt' in next) texts.push(next.alt ?? '');
    else if (next.type === 'break') texts.push('\n');
  }
  return texts.join('');
}

function plainParagraphs(text: string): MarkdownBlock[] {
  const parts = text.split(/\n\s*\n/).map((part) => part.trim());
  return parts.filter((part) => part !== '').map(paragraphOf);
}

function paragraphOf(value: string): MarkdownBlock {
  return { type: 'paragraph', children: value === '' ? [] : [{ type: 'text', value }] };
}

/** By identifier; the first of several counts, as CommonMark says. */
function definitionsOf(tree: Root): Definitions {
  const found: [string, Definition][] = [];
  const rest: Nodes[] = [tree];
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (next.type === 'definition') found.push([next.identifier, next]);
    if ('children' in next) rest.push(...next.children.toReversed());
  }
  return new Map(found.toReversed());
}

function blocksOf(node: RootContent, definitions: Definitions, depth: number): MarkdownBlock[] {
  if (depth > MAX_DEPTH) return [paragraphOf(plainTextOf(node))];
  const inlines = (nodes: readonly PhrasingContent[]) => inlinesOf(nodes, definitions, depth);
  const blocks = (nodes: readonly RootContent[]) =>
    nodes.flatMap((child) => blocksOf(child, definitions, depth + 1));
  switch (node.type) {
    case 'paragraph':
      return [{ type: 'paragraph', children: inlines(node.children) }];
    case 'heading':
      return [{ type: 'heading', depth: node.depth, children: inlines(node.children) }];
    case 'blockquote':
      return [{ type: 'blockquote', children: blocks(node.children) }];
    case 'footnoteDefinition':
      return [paragraphOf(`[^${node.identifier}]: ${plainTextOf(node)}`)];
    case 'list': {
      const items = node.children.map((item): MarkdownItem => {
        const checked = typeof item.checked === 'boolean' ? { checked: item.checked } : {};
        return { type: 'listItem', ...checked, children: blocks(item.children) };
      });
      const start = node.ordered === true ? (node.start ?? 1) : null;
      return [{ type: 'list', start, children: items }];
    }
    case 'table': {
      const rows = node.children.map((row) => ({
        type: 'tableRow' as const,
        children: row.children.map((cell) => ({
          type: 'tableCell' as const,
          children: inlines(cell.children),
        })),
      }));
      return [{ type: 'table', align: node.align ?? [], children: rows }];
    }
    case 'code':
      return [{ type: 'code', language: node.lang ?? null, value: node.value }];
    case 'thematicBreak':
      return [{ type: 'thematicBreak' }];
    case 'html':
      return isComment(node.value) ? [] : [paragraphOf(node.value)];
    default:
      return [];
  }
}

function inlinesOf(
  nodes: readonly PhrasingContent[],
  definitions: Definitions,
  depth: number,
): MarkdownInline[] {
  return nodes.flatMap((node) => inlineOf(node, definitions, depth + 1));
}

function inlineOf(node: PhrasingContent, definitions: Definitions, depth: number): MarkdownInline[] {
  if (depth > MAX_DEPTH) return [{ type: 'text', value: plainTextOf(node) }];
  const children = () => ('children' in node ? inlinesOf(node.children, definitions, depth) : []);
  switch (node.type) {
    case 'text':
      return [{ type: 'text', value: node.value }];
    case 'emphasis':
    case 'strong':
    case 'delete':
      return [{ type: node.type, children: children() }];
    case 'inlineCode':
      return [{ type: 'inlineCode', value: node.value }];
    case 'break':
      return [{ type: 'break' }];
    case 'link':
      return [{ type: 'link', url: node.url, children: children() }];
    case 'linkReference':
      return [{ type: 'link', url: definitions.get(node.identifier)?.url ?? '', children: children() }];
    case 'image':
      return [{ type: 'image', url: node.url, alt: node.alt ?? '' }];
    case 'imageReference':
      return [{ type: 'image', url: definitions.get(node.identifier)?.url ?? '', alt: node.alt ?? '' }];
    case 'footnoteReference':
      return [{ type: 'text', value: `[^${node.identifier}]` }];
    case 'html':
      return htmlOf(node.value);
    default:
      return [];
  }
}

function htmlOf(value: string): MarkdownInline[] {
  if (isComment(value)) return [];
  return /^<br\s*\/?>$/i.test(value) ? [{ type: 'break' }] : [{ type: 'text', value }];
}

function isComment(html: string): boolean {
  return /^<!--[\s\S]*-->$/.test(html.trim());
}

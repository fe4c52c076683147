import {
  type MarkdownBlock,
  type MarkdownInline,
  type MarkdownItem,
  parseMarkdown,
} from '../../src/connector/index.js';

/**
 * Markdown as Notion's own, in which a page's whole text is replaced at once. Every text is escaped: there, tags and
 * attributes mention people, embed pages and color text. https://developers.notion.com/guides/data-apis/enhanced-markdown
 */
export function toEnhanced(markdown: string): string {
  return blocksOf(parseMarkdown(markdown).children, '').join('\n');
}

/** The characters that the page lists. */
function escape(text: string): string {
  return text.replaceAll(/[\\*~`$[\]<>{}|^]/g, '\\$&').replaceAll(/[\r\n]+/g, ' ');
}

/** A line that only looks like the beginning of another block. How Notion reads these two escapes could not be verified. */
function asText(line: string): string {
  return line.replace(/^[#+:-]/, '\\$&').replace(/^\d+(?=[.)])/, '$&\\');
}

/** `indent`: a tab for each level. */
function blocksOf(blocks: readonly MarkdownBlock[], indent: string): string[] {
  return blocks.flatMap((block) => blockOf(block, indent));
}

function blockOf(block: MarkdownBlock, indent: string): string[] {
  switch (block.type) {
    case 'paragraph':
      return [indent + asText(inlinesOf(block.children))];
    case 'heading':
      return [`${indent}${'#'.repeat(Math.min(block.depth, 4))} ${inlinesOf(block.children)}`];
    case 'blockquote':
      return parentOf('> ', block.children, indent);
    case 'list': {
      const bullet = (index: number) => (block.start === null ? '- ' : `${block.start + index}. `);
      return block.children.flatMap((item, index) => itemOf(item, bullet(index), indent));
    }
    case 'code':
      return codeOf(block.value, block.language, indent);
    case 'table':
      return block.children.map(
        (row) => indent + row.children.map((cell) => inlinesOf(cell.children)).join(' \\| '),
      );
    case 'thematicBreak':
      return [`${indent}---`];
    default:
      return block satisfies never;
  }
}

function itemOf({ checked, children }: MarkdownItem, bullet: string, indent: string): string[] {
  const box = checked === undefined ? bullet : `- [${checked ? 'x' : ' '}] `;
  return parentOf(box, children, indent);
}

/** Its first paragraph on its own line, everything else one tab deeper. */
function parentOf(prefix: string, content: readonly MarkdownBlock[], indent: string): string[] {
  const [first, ...rest] = content;
  const leads = first?.type === 'paragraph';
  const own = leads ? asText(inlinesOf(first.children)) : '';
  return [`${indent}${prefix}${own}`, ...blocksOf(leads ? rest : content, `${indent}\t`)];
}

/** A fence that nothing in the code can close. */
function codeOf(value: string, language: string | null, indent: string): string[] {
  const longest = Math.max(2, ...[...value.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const name = /^[\w+#.-]{1,40}$/.test(language ?? '') ? language : '';
  return [`${fence}${name}`, ...value.split('\n'), fence].map((line) => indent + line);
}

function inlinesOf(inlines: readonly MarkdownInline[]): string {
  return inlines.map(inlineOf).join('');
}

function inlineOf(inline: MarkdownInline): string {
  switch (inline.type) {
    case 'text':
      return escape(inline.value);
    case 'strong':
      return `**${inlinesOf(inline.children)}**`;
    case 'emphasis':
      return `*${inlinesOf(inline.children)}*`;
    case 'delete':
      return `~~${inlinesOf(inline.children)}~~`;
    case 'inlineCode':
      // Whether a tag within inline code is a tag is not told: there the form is given up for safety.
      return /[`<{\r\n]/.test(inline.value) ? escape(inline.value) : `\`${inline.value}\``;
    case 'break':
      return '<br>';
    case 'link':
      return linkOf(inline.url, inlinesOf(inline.children));
    case 'image':
      return linkOf(inline.url, escape(inline.alt || inline.url));
    default:
      return inline satisfies never;
  }
}

/** Only addresses that people can follow; what could end the address early is encoded. */
function linkOf(url: string, label: string): string {
  if (!/^(https?:\/\/|mailto:)\S+$/i.test(url)) return label;
  const address = url.replaceAll(/[()<>[\]{}\\|^`"]/g, hexOf);
  return `[${label}](${address})`;
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

import {
  type MarkdownBlock,
  type MarkdownInline,
  type MarkdownItem,
  type MarkdownList,
  type MarkdownTable,
  parseMarkdown,
} from '../../src/connector/index.js';

/**
 * Markdown in Confluence's storage format, which is XHTML with some elements of its own and has to be well-formed.
 * https://confluence.atlassian.com/doc/confluence-storage-format-790796544.html. Total.
 */
export function toStorage(markdown: string): string {
  return blocksOf(parseMarkdown(markdown).children);
}

function blocksOf(blocks: readonly MarkdownBlock[]): string {
  return blocks.map(blockOf).join('');
}

function blockOf(block: MarkdownBlock): string {
  switch (block.type) {
    case 'paragraph':
      return element('p', inlinesOf(block.children));
    case 'heading':
      return element(`h${block.depth}`, inlinesOf(block.children));
    case 'blockquote':
      return element('blockquote', blocksOf(block.children));
    case 'list':
      return listOf(block);
    case 'code':
      return codeOf(block.value, block.language);
    case 'table':
      return tableOf(block);
    case 'thematicBreak':
      return '<hr />';
    default:
      return block satisfies never;
  }
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function listOf({ start, children }: MarkdownList): string {
  const items = children.map(itemOf).join('');
  if (start === null) return element('ul', items);
  return start === 1 ? element('ol', items) : `<ol start="${start}">${items}</ol>`;
}

function itemOf({ checked, children }: MarkdownItem): string {
  const box = checked === undefined ? '' : element('p', checked ? '☑' : '☐');
  const [only, ...others] = children;
  // One paragraph alone goes without, as Confluence's own editor has it.
  if (only?.type === 'paragraph' && others.length === 0) {
    const mark = checked === undefined ? '' : checked ? '☑ ' : '☐ ';
    return element('li', mark + inlinesOf(only.children));
  }
  return element('li', box + blocksOf(children));
}

/** Within CDATA nothing is escaped, and only its own end has to be split in two. */
function codeOf(value: string, language: string | null): string {
  const parameter = language ? `<ac:parameter ac:name="language">${escape(language)}</ac:parameter>` : '';
  const text = legal(value).replaceAll(']]>', ']]]]><![CDATA[>');
  return `<ac:structured-macro ac:name="code">${parameter}<ac:plain-text-body><![CDATA[${text}]]></ac:plain-text-body></ac:structured-macro>`;
}

function tableOf({ children }: MarkdownTable): string {
  const rows = children.map(({ children: cells }, index) =>
    element('tr', cells.map((cell) => element(index === 0 ? 'th' : 'td', inlinesOf(cell.children))).join('')),
  );
  return element('table', element('tbody', rows.join('')));
}

function inlinesOf(inlines: readonly MarkdownInline[]): string {
  return inlines.map(inlineOf).join('');
}

function inlineOf(inline: MarkdownInline): string {
  switch (inline.type) {
    case 'text':
      return escape(inline.value);
    case 'emphasis':
      return element('em', inlinesOf(inline.children));
    case 'strong':
      return element('strong', inlinesOf(inline.children));
    case 'delete':
      return element('del', inlinesOf(inline.children));
    case 'inlineCode':
      return element('code', escape(inline.value));
    case 'break':
      return '<br />';
    case 'link':
      return linkTo(inline.url, inlinesOf(inline.children));
    case 'image':
      return imageOf(inline.url, inline.alt);
    default:
      return inline satisfies never;
  }
}

/** Only where a link leads somewhere a reader can go without harm. */
function linkTo(url: string, text: string): string {
  return /^(https?:\/\/|mailto:)\S+$/i.test(url) ? `<a href="${escape(url)}">${text}</a>` : text;
}

function imageOf(url: string, alt: string): string {
  if (!/^https?:\/\/\S+$/i.test(url)) return escape(alt);
  return `<ac:image ac:alt="${escape(alt)}"><ri:url ri:value="${escape(url)}" /></ac:image>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return legal(text).replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

/** What XML 1.0 allows: no control characters but tab and line breaks, and no halves of surrogate pairs. */
function legal(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return text.toWellFormed().replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '');
}

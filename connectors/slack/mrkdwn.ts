import {
  type MarkdownBlock,
  type MarkdownInline,
  type MarkdownItem,
  type MarkdownList,
  parseMarkdown,
  plainTextOf,
} from '../../src/connector/index.js';

type Mark = '*' | '_' | '~';

/**
 * Markdown as Slack's mrkdwn. Total. `<`, `>` and `&` of any text are escaped, so that nothing a text says becomes a mention of
 * everybody, of somebody or of a channel, or a link that shows another address.
 * https://docs.slack.dev/messaging/formatting-message-text#escaping. Stars and underscores can't be escaped there.
 */
export function toMrkdwn(markdown: string): string {
  return blocksOf(parseMarkdown(markdown).children).join('\n\n');
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping: these three and no others. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function blocksOf(blocks: readonly MarkdownBlock[]): string[] {
  return blocks.map(blockOf).filter((text) => text !== '');
}

function blockOf(block: MarkdownBlock): string {
  switch (block.type) {
    case 'paragraph':
      return inlinesOf(block.children);
    case 'heading':
      return marked('*', block.children);
    case 'blockquote':
      return prefixed('> ', blocksOf(block.children).join('\n'));
    case 'list':
      return listOf(block);
    case 'code':
      return `\`\`\`\n${fenced(block.value)}\n\`\`\``;
    case 'table':
      return block.children
        .map(({ children }) => children.map((cell) => inlinesOf(cell.children)).join(' | '))
        .join('\n');
    case 'thematicBreak':
      return '———';
    default:
      return block satisfies never;
  }
}

/** A zero-width space keeps three backticks within code from ending it. */
function fenced(code: string): string {
  return escape(code).replaceAll('```', '``\u200b`');
}

function listOf({ start, children }: MarkdownList): string {
  return children.map((item, index) => itemOf(item, start === null ? '•' : `${start + index}.`)).join('\n');
}

function itemOf({ checked, children }: MarkdownItem, bullet: string): string {
  const box = checked === undefined ? '' : `${checked ? '☑' : '☐'} `;
  const [first = '', ...rest] = blocksOf(children).join('\n').split('\n');
  return [`${bullet} ${box}${first}`, ...rest.map((line) => `    ${line}`)].join('\n');
}

function prefixed(prefix: string, text: string): string {
  return text
    .split('\n')
    .map((line) => prefix + line)
    .join('\n');
}

function inlinesOf(inlines: readonly MarkdownInline[], within: readonly Mark[] = []): string {
  return inlines.map((inline) => inlineOf(inline, within)).join('');
}

function inlineOf(inline: MarkdownInline, within: readonly Mark[]): string {
  switch (inline.type) {
    case 'text':
      return escape(inline.value);
    case 'strong':
      return marked('*', inline.children, within);
    case 'emphasis':
      return marked('_', inline.children, within);
    case 'delete':
      return marked('~', inline.children, within);
    case 'inlineCode':
      return inline.value.includes('`') ? escape(inline.value) : `\`${escape(inline.value)}\``;
    case 'break':
      return '\n';
    case 'link':
      return linkOf(inline.url, plainTextOf(inline));
    case 'image':
      return linkOf(inline.url, inline.alt);
    default:
      return inline satisfies never;
  }
}

/** A mark counts only beside text, and only within its line; within bold text no other bold text begins. */
function marked(mark: Mark, children: readonly MarkdownInline[], within: readonly Mark[] = []): string {
  if (within.includes(mark)) return inlinesOf(children, within);
  const text = inlinesOf(children, [...within, mark]);
  return text
    .split('\n')
    .map((line) => (line.trim() === '' ? line : line.replace(line.trim(), () => mark + line.trim() + mark)))
    .join('\n');
}

/** Only addresses that people can follow; of anything else the text is left. `|` and `>` would end the address. */
function linkOf(url: string, text: string): string {
  const label = escape(text.replaceAll(/\s+/g, ' ').trim());
  if (!/^(https?:\/\/|mailto:)[^\s]+$/i.test(url)) return label || escape(url);
  const address = escape(url.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E'));
  return label === '' || label === address ? `<${address}>` : `<${address}|${label}>`;
}

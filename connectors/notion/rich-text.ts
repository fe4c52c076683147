import { type MarkdownInline, listAt, textAt } from '../../src/connector/index.js';

/** https://developers.notion.com/reference/request-limits */
export const TEXT_LIMIT = 2_000;

type Mark = 'bold' | 'italic' | 'strikethrough' | 'code';

/** https://developers.notion.com/reference/rich-text, of text alone: nothing in it can mention anybody. */
export interface RichText {
  readonly type: 'text';
  readonly text: { readonly content: string; readonly link?: { readonly url: string } };
  readonly annotations?: Readonly<Partial<Record<Mark, true>>>;
}

interface Style {
  readonly marks: readonly Mark[];
  readonly url?: string;
}

const MARKS = { strong: 'bold', emphasis: 'italic', delete: 'strikethrough' } as const;

/** Inline Markdown as rich text, in pieces of a length that Notion takes. */
export function richTextOf(inlines: readonly MarkdownInline[]): RichText[] {
  return joined(inlines.flatMap((inline) => runsOf(inline, { marks: [] }))).flatMap(toRichText);
}

/** Text without any form. */
export function plainText(text: string): RichText[] {
  return toRichText({ text, style: { marks: [] } });
}

/** What a reader reads of rich text that Notion answered. Undefined for anything else. */
export function plainOf(richText: unknown): string | undefined {
  const texts = listAt({ richText }, 'richText').map((item) => textAt(item, 'plain_text') ?? '');
  return texts.join('') || undefined;
}

interface Run {
  readonly text: string;
  readonly style: Style;
}

function runsOf(inline: MarkdownInline, style: Style): Run[] {
  const inner = (children: readonly MarkdownInline[], changed: Style) =>
    children.flatMap((child) => runsOf(child, changed));
  switch (inline.type) {
    case 'text':
      return [{ text: inline.value, style }];
    case 'inlineCode':
      return [{ text: inline.value, style: withMark(style, 'code') }];
    case 'break':
      return [{ text: '\n', style }];
    case 'strong':
    case 'emphasis':
    case 'delete':
      return inner(inline.children, withMark(style, MARKS[inline.type]));
    case 'link':
      return inner(inline.children, withUrl(style, inline.url));
    case 'image':
      return [{ text: inline.alt || inline.url, style: withUrl(style, inline.url) }];
    default:
      return inline satisfies never;
  }
}

function withMark(style: Style, mark: Mark): Style {
  return style.marks.includes(mark) ? style : { ...style, marks: [...style.marks, mark] };
}

/** Only addresses that people can follow, and that Notion takes. Of others the text is left. */
function withUrl(style: Style, url: string): Style {
  const isGood = /^(https?:\/\/|mailto:)\S+$/i.test(url) && url.length <= TEXT_LIMIT;
  return isGood ? { ...style, url } : style;
}

/** Neighbors of one style as one: Notion takes a hundred pieces and no more. */
function joined(runs: readonly Run[]): Run[] {
  const made: Run[] = [];
  for (const run of runs.filter(({ text }) => text !== '')) {
    const last = made.at(-1);
    if (last && isSame(last.style, run.style))
      made[made.length - 1] = { ...last, text: last.text + run.text };
    else made.push(run);
  }
  return made;
}

function isSame(one: Style, other: Style): boolean {
  return one.url === other.url && one.marks.toSorted().join() === other.marks.toSorted().join();
}

function toRichText({ text, style: { marks, url } }: Run): RichText[] {
  const annotations: NonNullable<RichText['annotations']> = Object.fromEntries(
    marks.map((mark) => [mark, true]),
  );
  return piecesOf(text).map((content) => ({
    type: 'text',
    text: { content, ...(url !== undefined && { link: { url } }) },
    ...(marks.length > 0 && { annotations }),
  }));
}

/** No piece ends in the middle of a character that takes two units. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const isSplit = /[\uD800-\uDBFF]/.test(text[start + TEXT_LIMIT - 1] ?? '');
    const end = start + TEXT_LIMIT - (isSplit ? 1 : 0);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

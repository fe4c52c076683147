/**
 * What Markdown comes to after {@link parseMarkdown}: the names are mdast's (https://github.com/syntax-tree/mdast), the types
 * are fewer, so that a connector has a case for each of them and needs no default.
 */
export interface MarkdownRoot {
  readonly type: 'root';
  readonly children: readonly MarkdownBlock[];
}

export type MarkdownBlock =
  | { readonly type: 'paragraph'; readonly children: readonly MarkdownInline[] }
  | {
      readonly type: 'heading';
      readonly depth: 1 | 2 | 3 | 4 | 5 | 6;
      readonly children: readonly MarkdownInline[];
    }
  | { readonly type: 'blockquote'; readonly children: readonly MarkdownBlock[] }
  | MarkdownList
  | { readonly type: 'code'; readonly language: string | null; readonly value: string }
  | { readonly type: 'thematicBreak' }
  | MarkdownTable;

export interface MarkdownList {
  readonly type: 'list';
  /** The first number of an ordered list; null: it has bullets. */
  readonly start: number | null;
  readonly children: readonly MarkdownItem[];
}

export interface MarkdownItem {
  readonly type: 'listItem';
  /** Of a task: whether it is done. Absent: it is no task. */
  readonly checked?: boolean;
  readonly children: readonly MarkdownBlock[];
}

/** The first row is the head. Rows may be shorter than it. */
export interface MarkdownTable {
  readonly type: 'table';
  readonly align: readonly ('left' | 'right' | 'center' | null)[];
  readonly children: readonly {
    readonly type: 'tableRow';
    readonly children: readonly {
      readonly type: 'tableCell';
      readonly children: readonly MarkdownInline[];
    }[];
  }[];
}

export type MarkdownInline =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'emphasis' | 'strong' | 'delete'; readonly children: readonly MarkdownInline[] }
  | { readonly type: 'inlineCode'; readonly value: string }
  | { readonly type: 'break' }
  /** The URL is as it was written: any scheme, relative, or nothing. */
  | { readonly type: 'link'; readonly url: string; readonly children: readonly MarkdownInline[] }
  | { readonly type: 'image'; readonly url: string; readonly alt: string };

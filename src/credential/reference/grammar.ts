/** Whose secrets a reference can name, by its scheme. */
export const schemes = ['vault', 'aws-sm', 'gcp-sm', 'azure-kv', 'env'] as const;
export type Scheme = (typeof schemes)[number];

/** What a reference and a pattern of one scheme may look like. The store's own rules for names, or stricter. */
export interface Grammar {
  /** For messages. */
  readonly form: string;
  /** One segment of a path, decoded. Nothing that could mean more than itself to the store. */
  readonly segment: RegExp;
  /** A tenant's id that can stand in a segment. One that does not fit has no references of this scheme. */
  readonly tenant: RegExp;
  /**
   * The path of a reference, segments joined by `/`. Where a version may be part of it, the group `name` is what
   * comes before: patterns see only that.
   */
  readonly path: RegExp;
  /** The path of a pattern, so that one which can never fit is told at the start. */
  readonly pattern: RegExp;
  /** What may follow `?`. */
  readonly parameters: Readonly<Record<string, RegExp>>;
  readonly needsField: boolean;
  /** The store takes `A` for `a`. Two spellings of a name must not count as two names. */
  readonly ignoresCase: boolean;
}

/**
 * No separator of any syntax on the way (URL, pattern, Windows), nothing invisible (\p{C} has lone surrogates too) and
 * no space at an end, where some server might trim it.
 */
const PLAIN = /^(?!\s)[^\p{C}/\\%?#*{}]+(?<!\s)$/u;

const AWS_NAME = /^[\w+=.@-]+$/;

export const grammars: Readonly<Record<Scheme, Grammar>> = {
  vault: {
    form: 'vault://<mount>/<path>[?version=N]#<field>',
    segment: PLAIN,
    tenant: PLAIN,
    path: /^[^/]+\/.+$/,
    pattern: /^[^/]+\/.+$/,
    parameters: { version: /^[1-9]\d{0,9}$/ },
    needsField: true,
    ignoresCase: false,
  },
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html (Name). A `:` only in an ARN,
  // whose head is a segment of its own: no tenant's id can make an ARN of a name.
  'aws-sm': {
    form: 'aws-sm://<name or ARN>[?stage=<stage> or ?version=<id>][#<field>]',
    segment: AWS_NAME,
    tenant: AWS_NAME,
    path: /./,
    // AWS completes an ARN that lacks its random end, `-` and six characters. An id at the end could pretend to be one.
    pattern: /^(?!arn:.*\{tenant\}[^/]*$)/,
    parameters: { stage: /^[\w+=.@/-]{1,256}$/, version: /^[\w-]{32,64}$/ },
    needsField: false,
    ignoresCase: false,
  },
  // A project has a number as well. References use its id only, so that no tenant is called like another's number.
  'gcp-sm': {
    form: 'gcp-sm://projects/<project id>/secrets/<secret>[/versions/<version>][#<field>]',
    segment: /^[\w-]+$/,
    tenant: /^[\w-]+$/,
    path: /^(?<name>projects\/[a-z][a-z0-9-]{4,28}[a-z0-9]\/secrets\/[\w-]{1,255})(\/versions\/(?<version>[\w-]{1,63}))?$/,
    pattern: /^projects\/[^/]+\/(\*|secrets\/[^/]+)$/,
    parameters: {},
    needsField: false,
    ignoresCase: false,
  },
  // The name of a key vault becomes part of a host name: nothing but what Azure allows in one.
  'azure-kv': {
    form: 'azure-kv://<vault name>/<secret>[/<version>][#<field>]',
    segment: /^[A-Za-z0-9-]+$/,
    tenant: /^[a-z0-9-]+$/,
    path: /^(?<name>[a-z0-9-]{3,24}\/[a-z0-9-]{1,127})(\/(?<version>[0-9a-f]{32}))?$/,
    pattern: /^[^/]+\/[^/]+$/,
    parameters: {},
    needsField: false,
    ignoresCase: true,
  },
  env: {
    form: 'env://TRIBUTARY_SECRET_<NAME>[#<field>]',
    segment: /^[A-Z0-9_]+$/,
    tenant: /^[A-Z0-9_]+$/,
    // REFERENCES is the operator's list of patterns, and no secret.
    path: /^TRIBUTARY_SECRET_(?!REFERENCES$)[A-Z0-9_]+$/,
    pattern: /^TRIBUTARY_SECRET_[^/*]+$/,
    parameters: {},
    needsField: false,
    ignoresCase: false,
  },
};

const SCHEME = new RegExp(`^(${schemes.join('|')})://`);
const ARN_HEAD = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:/;

/** The scheme and what follows it; undefined when the text begins with none. */
export function splitScheme(text: string): { scheme: Scheme; rest: string } | undefined {
  const [head = '', scheme] = SCHEME.exec(text) ?? [];
  return scheme ? { scheme: scheme as Scheme, rest: text.slice(head.length) } : undefined;
}

/** Segments as they are written. The head of an ARN is the first one: what follows it is a name like any other. */
export function splitPath(scheme: Scheme, path: string): string[] {
  const [head] = (scheme === 'aws-sm' && ARN_HEAD.exec(path)) || [];
  return head ? [head, ...path.slice(head.length).split('/')] : path.split('/');
}

/** One segment, decoded, that means itself and nothing else. */
export function isSegment(scheme: Scheme, text: string, index: number): boolean {
  if (scheme === 'aws-sm' && index === 0 && ARN_HEAD.exec(text)?.[0] === text) return true;
  return text !== '.' && text !== '..' && grammars[scheme].segment.test(text);
}

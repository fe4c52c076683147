import type { FromSchema } from 'json-schema-to-ts';

const text = { type: 'string', minLength: 1 } as const;
const markdown = { type: 'string', minLength: 1, maxLength: 65_536, description: 'Markdown.' } as const;
const names = { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 100 } as const;
const repository = {
  type: 'string',
  pattern: '^[^/\\s]+(/[^/\\s]+)+$',
  description: 'The repository, as "owner/name".',
} as const;
const positive = { type: 'integer', minimum: 1 } as const;

/**
 * The canonical verbs and what each takes: one JSON Schema a verb, used by GraphQL, REST and the catalogue alike.
 * Words are provider-neutral; a connector turns them into what its provider speaks.
 */
export const verbSchemas = {
  createIssue: {
    type: 'object',
    additionalProperties: false,
    required: ['project', 'title'],
    properties: {
      project: { ...text, description: 'Where the issue goes: "owner/name", "PROJ", a team key.' },
      title: { ...text, maxLength: 255 },
      body: markdown,
      labels: names,
      assignees: names,
      issueType: text,
    },
  },
  addIssueComment: {
    type: 'object',
    additionalProperties: false,
    required: ['issue', 'body'],
    properties: {
      project: { ...text, description: 'Needed where the issue key does not name it: "owner/name".' },
      issue: { ...text, description: 'The key people see: "7", "PROJ-12".' },
      body: markdown,
    },
  },
  commentOnPullRequest: {
    type: 'object',
    additionalProperties: false,
    required: ['repository', 'number', 'body'],
    properties: { repository, number: positive, body: markdown },
  },
  mergePullRequest: {
    type: 'object',
    additionalProperties: false,
    required: ['repository', 'number'],
    properties: {
      repository,
      number: positive,
      method: { enum: ['MERGE', 'SQUASH', 'REBASE'] },
      title: text,
      expectedHeadSha: { type: 'string', pattern: '^[0-9a-f]{40}([0-9a-f]{24})?$' },
    },
  },
  setCommitStatus: {
    type: 'object',
    additionalProperties: false,
    required: ['repository', 'sha', 'context', 'state'],
    properties: {
      repository,
      sha: { type: 'string', pattern: '^[0-9a-f]{40}([0-9a-f]{24})?$' },
      context: { ...text, maxLength: 255 },
      state: { enum: ['PENDING', 'SUCCESS', 'FAILURE', 'ERROR'] },
      description: { ...text, maxLength: 140 },
      targetUrl: { type: 'string', format: 'uri', pattern: '^https?://' },
    },
  },
} as const;

/** A canonical verb: `createIssue`, `setCommitStatus` … */
export type Verb = keyof typeof verbSchemas;

type Schemas = typeof verbSchemas;

/**
 * What each verb takes, derived from its schema. Spelled out rather than mapped over the schemas: a mapped type would
 * be derived again wherever a verb is generic, which takes the compiler minutes.
 */
export interface VerbInputs {
  readonly createIssue: FromSchema<Schemas['createIssue']>;
  readonly addIssueComment: FromSchema<Schemas['addIssueComment']>;
  readonly commentOnPullRequest: FromSchema<Schemas['commentOnPullRequest']>;
  readonly mergePullRequest: FromSchema<Schemas['mergePullRequest']>;
  readonly setCommitStatus: FromSchema<Schemas['setCommitStatus']>;
}
export type VerbInput<V extends Verb = Verb> = VerbInputs[V];

export const verbs = Object.keys(verbSchemas) as readonly Verb[];

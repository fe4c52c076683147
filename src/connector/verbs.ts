import type { FromSchema } from 'json-schema-to-ts';

const text = { type: 'string', minLength: 1 } as const;
const line = { ...text, maxLength: 255 } as const;
const markdown = { type: 'string', minLength: 1, maxLength: 65_536, description: 'Markdown.' } as const;
const names = { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 100 } as const;
const repository = {
  type: 'string',
  pattern: '^[^/\\s]+(/[^/\\s]+)+$',
  description: 'The repository, as "owner/name".',
} as const;
/** As many bits as an Int of GraphQL has. */
const positive = { type: 'integer', minimum: 1, maximum: 2_147_483_647 } as const;
const sha = { type: 'string', pattern: '^[0-9a-f]{40}([0-9a-f]{24})?$' } as const;
const issue = { ...text, description: 'The key people see: "7", "PROJ-12".' } as const;
const issueProject = {
  ...text,
  description: 'Needed where the issue key does not name it: "owner/name".',
} as const;
const channel = { ...text, description: "The channel's id at the provider." } as const;
const page = { ...text, description: "The page's id at the provider." } as const;
const model = { ...text, maxLength: 255, description: "The model's name at the provider." } as const;

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
      title: line,
      body: markdown,
      labels: names,
      assignees: names,
      issueType: text,
    },
  },
  updateIssue: {
    type: 'object',
    additionalProperties: false,
    required: ['issue'],
    // Something to change, whatever it is.
    anyOf: [
      { required: ['title'] },
      { required: ['body'] },
      { required: ['status'] },
      { required: ['labels'] },
      { required: ['assignees'] },
    ],
    properties: {
      project: issueProject,
      issue,
      title: line,
      body: markdown,
      status: { ...text, description: 'The name of the status it shall have, as people see it.' },
      labels: { ...names, description: 'All it shall have; what is not named is taken off.' },
      assignees: { ...names, description: 'All it shall have; who is not named is taken off.' },
    },
  },
  addIssueComment: {
    type: 'object',
    additionalProperties: false,
    required: ['issue', 'body'],
    properties: { project: issueProject, issue, body: markdown },
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
      expectedHeadSha: sha,
    },
  },
  setCommitStatus: {
    type: 'object',
    additionalProperties: false,
    required: ['repository', 'sha', 'context', 'state'],
    properties: {
      repository,
      sha,
      context: line,
      state: { enum: ['PENDING', 'SUCCESS', 'FAILURE', 'ERROR'] },
      description: { ...text, maxLength: 140 },
      targetUrl: { type: 'string', format: 'uri', pattern: '^https?://' },
    },
  },
  triggerBuild: {
    type: 'object',
    additionalProperties: false,
    required: ['repository', 'ref'],
    properties: {
      repository,
      ref: { ...line, description: 'The branch or tag to build.' },
      workflow: { ...line, description: 'Which build, where a repository has several: "ci.yml".' },
      parameters: {
        type: 'object',
        additionalProperties: { type: 'string' },
        maxProperties: 25,
        description: 'What the build takes, by name.',
      },
    },
  },
  addReaction: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    oneOf: [{ required: ['channel', 'message'] }, { required: ['issue'] }],
    properties: {
      channel,
      message: { ...text, description: "The message's id; with its channel." },
      project: issueProject,
      issue,
      name: { ...line, description: "The provider's name of the reaction, without colons." },
    },
  },
  postMessage: {
    type: 'object',
    additionalProperties: false,
    required: ['channel', 'text'],
    properties: { channel, text: markdown },
  },
  replyInThread: {
    type: 'object',
    additionalProperties: false,
    required: ['channel', 'thread', 'text'],
    properties: {
      channel,
      thread: { ...text, description: 'The id of the message that began the thread.' },
      text: markdown,
    },
  },
  createPage: {
    type: 'object',
    additionalProperties: false,
    required: ['parent', 'title'],
    properties: {
      parent: { ...text, description: 'The id of the page or space it goes under.' },
      title: line,
      body: markdown,
    },
  },
  updatePage: {
    type: 'object',
    additionalProperties: false,
    required: ['page'],
    anyOf: [{ required: ['title'] }, { required: ['body'] }],
    properties: {
      page,
      title: line,
      body: markdown,
      expectedVersion: { ...line, description: 'When the page has another version, nothing is changed.' },
    },
  },
  appendBlocks: {
    type: 'object',
    additionalProperties: false,
    required: ['page', 'body'],
    properties: { page, body: markdown },
  },
  createIncident: {
    type: 'object',
    additionalProperties: false,
    required: ['service', 'title'],
    properties: {
      service: { ...text, description: 'The id of the service that is in trouble, at the provider.' },
      title: line,
      body: markdown,
      urgency: { enum: ['HIGH', 'LOW'] },
    },
  },
  resolveIncident: {
    type: 'object',
    additionalProperties: false,
    required: ['incident'],
    properties: {
      incident: { ...text, description: "The incident's id at the provider." },
      note: { ...markdown, description: 'What resolved it. Markdown.' },
    },
  },
  completeChat: {
    type: 'object',
    additionalProperties: false,
    required: ['model', 'messages', 'maxOutputTokens'],
    properties: {
      model,
      messages: {
        type: 'array',
        minItems: 1,
        maxItems: 1000,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['role', 'content'],
          properties: {
            role: { enum: ['SYSTEM', 'USER', 'ASSISTANT'] },
            content: { type: 'string', minLength: 1, maxLength: 1_000_000 },
          },
        },
      },
      maxOutputTokens: { ...positive, description: 'The most the answer may cost, in tokens.' },
      temperature: { type: 'number', minimum: 0, maximum: 2 },
    },
  },
  createEmbedding: {
    type: 'object',
    additionalProperties: false,
    required: ['model', 'texts'],
    properties: {
      model,
      texts: {
        type: 'array',
        minItems: 1,
        maxItems: 1000,
        items: { type: 'string', minLength: 1, maxLength: 65_536 },
      },
      dimensions: positive,
    },
  },
  custom: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { ...line, description: "The name the connection's settings declare the action under." },
      parameters: { type: 'object', description: 'What the declared action takes.' },
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
  readonly updateIssue: FromSchema<Schemas['updateIssue']>;
  readonly addIssueComment: FromSchema<Schemas['addIssueComment']>;
  readonly commentOnPullRequest: FromSchema<Schemas['commentOnPullRequest']>;
  readonly mergePullRequest: FromSchema<Schemas['mergePullRequest']>;
  readonly setCommitStatus: FromSchema<Schemas['setCommitStatus']>;
  readonly triggerBuild: FromSchema<Schemas['triggerBuild']>;
  readonly addReaction: FromSchema<Schemas['addReaction']>;
  readonly postMessage: FromSchema<Schemas['postMessage']>;
  readonly replyInThread: FromSchema<Schemas['replyInThread']>;
  readonly createPage: FromSchema<Schemas['createPage']>;
  readonly updatePage: FromSchema<Schemas['updatePage']>;
  readonly appendBlocks: FromSchema<Schemas['appendBlocks']>;
  readonly createIncident: FromSchema<Schemas['createIncident']>;
  readonly resolveIncident: FromSchema<Schemas['resolveIncident']>;
  readonly completeChat: FromSchema<Schemas['completeChat']>;
  readonly createEmbedding: FromSchema<Schemas['createEmbedding']>;
  readonly custom: FromSchema<Schemas['custom']>;
}
export type VerbInput<V extends Verb = Verb> = VerbInputs[V];

export const verbs = Object.keys(verbSchemas) as readonly Verb[];

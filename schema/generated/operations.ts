// Generated from schema/operations by `npm run codegen`; do not edit.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** How far an action has come. The last four are final. */
export type IntegrationActionStatus =
  /** Stored; not begun. */
  | 'ACCEPTED'
  /** Under way. */
  | 'RUNNING'
  /** Taken up again at `nextAttemptAt`: what keeps it passes, or nobody knows yet whether it was done. */
  | 'RETRYING'
  /** Done at the provider. */
  | 'SUCCEEDED'
  /** Not done; `failure` says why. */
  | 'FAILED'
  /** It could not be found out whether it was done: a person has to look. */
  | 'UNCONFIRMED'
  /** Given up before it began. */
  | 'CANCELLED';

/** What kind of trouble a provider gave. */
export type IntegrationFailureCategory =
  /** It refused the credential, or the credential lacks a permission. */
  | 'AUTH'
  /** It refused what was asked. */
  | 'INVALID'
  /** It has no such thing, or hides it from this credential. */
  | 'NOT_FOUND'
  /** Too many calls; `retryAt` says when to come back. */
  | 'RATE_LIMIT'
  /** The tenant’s own budget is used up. */
  | 'BUDGET'
  /** Not asked at all: it failed too often just now. */
  | 'CIRCUIT_OPEN'
  /** It failed by its own fault. */
  | 'PROVIDER'
  /** It could not be reached, or its answer was lost. */
  | 'NETWORK'
  /** None of the others. */
  | 'UNKNOWN';

/** What someone decided, or must do, about a connection. What we observe lately is its health: two fields, never mixed. */
export type IntegrationConnectionStatus =
  /** Waits for a person’s consent at the provider. */
  | 'AUTHORIZING'
  /** Has a credential that nobody has tried: call `verify`. */
  | 'PENDING_VERIFICATION'
  /** The credential is known to work. */
  | 'ACTIVE'
  /** Put to rest by someone. */
  | 'SUSPENDED'
  /** The provider wants a person’s consent again. */
  | 'REAUTHORIZATION_REQUIRED'
  /** The provider refused the credential; `statusReason` says what to do. */
  | 'ERROR'
  /** Gone, with its secrets. */
  | 'DELETED';

/** How a connection proves itself to its provider. */
export type IntegrationAuthMethod =
  /** OAuth 2.0 with a person’s consent. */
  | 'OAUTH2'
  /** OAuth 2.0 between machines. */
  | 'OAUTH2_CLIENT_CREDENTIALS'
  /** A key of the provider’s. */
  | 'API_KEY'
  /** User name and password. */
  | 'BASIC'
  /** A token sent as it is. */
  | 'BEARER'
  /** A role of a cloud account. */
  | 'IAM_ROLE'
  /** A key file of a service account. */
  | 'SERVICE_ACCOUNT'
  /** The provider asks for no proof. */
  | 'NONE';

/** What a connector can do with its provider. */
export type IntegrationCapability =
  /** Takes the provider’s webhooks. */
  | 'WEBHOOK'
  /** Asks the provider for what is new. */
  | 'POLLING'
  /** Does things at the provider. */
  | 'ACTIONS'
  /** Passes signed requests through. */
  | 'PROXY'
  /** Looks details up at the provider. */
  | 'ENRICHMENT';

/** Whether calls to the provider pass. */
export type ConnectionCircuitState =
  /** They pass. */
  | 'CLOSED'
  /** None passes: the provider failed again and again, and is left in peace. */
  | 'OPEN'
  /** The next one passes, to find out; the others wait for what comes of it. */
  | 'HALF_OPEN';

/** What a budget is for. */
export type CallBudgetScope =
  /** All calls of the tenant. */
  | 'TENANT'
  /** The tenant’s calls to one provider. */
  | 'PROVIDER'
  /** The calls of one connection. */
  | 'CONNECTION';

/** What was seen of a connection within the last hour. A status holds for five minutes at least, unless the credential is refused or the circuit opens; and a connection is called better only after five minutes of being it. */
export type IntegrationHealthStatus =
  /** At most one call in ten failed, and news come in time. */
  | 'HEALTHY'
  /** More than one call in ten failed, or news come late. */
  | 'DEGRADED'
  /** More than half of the calls failed, the circuit is open, or the credential is refused. */
  | 'UNHEALTHY'
  /** Nothing was called, or too little to tell. */
  | 'UNKNOWN';

/** Why a connection is DEGRADED or UNHEALTHY. */
export type IntegrationHealthReason =
  /** It can’t be used until somebody mends its credential: see its `statusReason`. */
  | 'CREDENTIALS_REFUSED'
  /** The provider failed again and again and is left in peace for a while. */
  | 'CIRCUIT_OPEN'
  /** Of at least five calls too many failed. */
  | 'ERRORS'
  /** At the median, its newest signals came more than ten minutes after what they tell of. */
  | 'LAG'
  /** Polls of a stream have failed three times in a row: see its `polling`. */
  | 'POLLS'
  /** A webhook ends at the provider and could not be renewed: see its `webhook.registrations`. */
  | 'WEBHOOKS';

/** What kind of tool a provider is. */
export type IntegrationCategory =
  /** Hosts code, branches and pull requests. */
  | 'SOURCE_CONTROL'
  /** Builds, tests and deploys. */
  | 'CI_CD'
  /** Keeps issues, tickets and boards. */
  | 'ISSUE_TRACKER'
  /** Carries conversations. */
  | 'CHAT'
  /** Sends and receives mail. */
  | 'EMAIL'
  /** Keeps pages and documents. */
  | 'KNOWLEDGE'
  /** Measures, logs, traces and alarms. */
  | 'OBSERVABILITY'
  /** Pages people and runs incidents. */
  | 'INCIDENT'
  /** Runs infrastructure. */
  | 'CLOUD'
  /** Keeps users, groups and logins. */
  | 'IDENTITY'
  /** Runs service desks and changes. */
  | 'ITSM'
  /** Keeps customers and deals. */
  | 'CRM'
  /** Keeps orders, stock and books. */
  | 'ERP'
  /** Keeps employees. */
  | 'HR'
  /** Serves models. */
  | 'AI'
  /** Anything that speaks HTTP. */
  | 'GENERIC';

/** How far a connector has come. */
export type IntegrationStage =
  /** May change without notice. */
  | 'ALPHA'
  /** Complete enough to rely on; details may still change. */
  | 'BETA'
  /** Stable. */
  | 'GA'
  /** Still works; will be removed. */
  | 'DEPRECATED';

/** How a repeated action is kept to one effect at this provider. */
export type IdempotencyGuarantee =
  /** The provider itself refuses or absorbs the second one. */
  | 'NATIVE'
  /** We look for the effect of the first before sending again. */
  | 'RECONCILED'
  /** We never send again; what can’t be found out is UNCONFIRMED. */
  | 'AT_MOST_ONCE';

/** How far a webhook’s secret has come that the provider hands out itself. */
export type WebhookHandshake =
  /** Enter the URL at the provider: its first request brings the secret. */
  | 'AWAITED'
  /** It is here: `showWebhookSecret` or `showWebhookAppSecret` tells it, once. */
  | 'RECEIVED'
  /** It was told. */
  | 'SHOWN';

/** Which of our environments took it in. */
export type SignalEnvironment =
  /** Development. */
  | 'DEV'
  /** Staging. */
  | 'STAGE'
  /** Production. */
  | 'PROD';

/** What sort of thing a signal tells. */
export type SignalKind =
  /** Something happened. */
  | 'EVENT'
  /** A number was measured. */
  | 'METRIC'
  /** A line was written. */
  | 'LOG'
  /** A span was recorded. */
  | 'TRACE';

/** Which signals. Every given field must match; a list matches when it holds the value. At most 100 values a list. */
export type SignalFilter = {
  /** Of these connections. */
  connectionIds?: Array<string | number> | null | undefined;
  /** Of these providers. */
  providerIds?: Array<string | number> | null | undefined;
  /** Of these canonical types. */
  types?: Array<string> | null | undefined;
  /** Of these kinds. */
  kinds?: Array<SignalKind> | null | undefined;
  /** Of this repository, as the provider writes it. */
  repository?: string | null | undefined;
  /** Occurred at this moment or later. */
  since?: string | null | undefined;
  /** Occurred before this moment. */
  until?: string | null | undefined;
  /** With this correlation id. */
  correlationId?: string | null | undefined;
};

/** What a receipt attests to. */
export type IntegrationReceiptOutcome =
  /** It was done. */
  | 'SUCCESS'
  /** It was not done. */
  | 'FAILURE'
  /** It could not be found out whether it was done. */
  | 'UNCONFIRMED';

/** Which of a connection’s secrets. */
export type SecretAccessField =
  /** What proves us to the provider. */
  | 'CREDENTIAL'
  /** What proves the provider’s webhooks to us. */
  | 'WEBHOOK_SECRET';

/** How far a backfill has come. */
export type PollBackfillStatus =
  /** It goes on, as far as live polls and actions leave room. */
  | 'RUNNING'
  /** It has come to its end. */
  | 'DONE'
  /** It failed again and again; `pollNow` lets it go on from where it is. */
  | 'FAILED';

/** Which actions. Every given field must match. */
export type ActionFilter = {
  /** Of this connection. */
  connectionId?: string | number | null | undefined;
  /** This far. */
  status?: IntegrationActionStatus | null | undefined;
  /** With this correlation id. */
  correlationId?: string | null | undefined;
};

/** Which connections. Every given field must match. */
export type ConnectionFilter = {
  /** To this provider. */
  providerId?: string | number | null | undefined;
  /** In this status. Left out: all but DELETED. */
  status?: IntegrationConnectionStatus | null | undefined;
  /** With this tag. */
  tag?: string | null | undefined;
};

/** What is stuck. */
export type DeadLetterKind =
  /** An event that came in and could not be normalised. */
  | 'DELIVERY'
  /** An action that is FAILED or UNCONFIRMED. */
  | 'ACTION';

/** Which dead letters. Every given field must match. */
export type DeadLetterFilter = {
  /** Of this kind. */
  kind?: DeadLetterKind | null | undefined;
  /** Of this connection. */
  connectionId?: string | number | null | undefined;
  /** Of this provider. */
  providerId?: string | number | null | undefined;
  /** Occurred at this moment or later. */
  since?: string | null | undefined;
  /** Occurred before this moment. */
  until?: string | null | undefined;
};

/** What an incident is about. */
export type IncidentKind =
  /** The provider failed so often that it is left in peace for a while. */
  | 'CIRCUIT_OPEN'
  /** Of five calls or more within five minutes, more than half failed. */
  | 'REPEATED_FAILURE'
  /** Calls wait because the provider’s limits are used up, or it asked for a pause. */
  | 'LIMIT_EXHAUSTED'
  /** Calls are refused because a budget that the tenant set is used up: one for each of its windows. */
  | 'BUDGET_EXHAUSTED'
  /** The connection is REAUTHORIZATION_REQUIRED or ERROR: somebody has to mend it. */
  | 'CREDENTIALS_EXPIRED'
  /** Polls of a stream have failed three times in a row. */
  | 'POLLS_FAILING'
  /** A webhook ends at the provider, and could not be renewed three times in a row. */
  | 'WEBHOOK_ENDING'
  /** A witness of the receipts’ log saw another log than there is: it was rolled back, or its past was changed. */
  | 'RECEIPTS_ROLLED_BACK';

/** Which incidents. Every given field must match. */
export type IncidentFilter = {
  /** Of this connection. */
  connectionId?: string | number | null | undefined;
  /** Of this kind. */
  kind?: IncidentKind | null | undefined;
  /** Only what is open, or only what is over. */
  isOpen?: boolean | null | undefined;
};

/** Which calls. Every given field must match. */
export type IntegrationLogFilter = {
  /** By this connection. */
  connectionId?: string | number | null | undefined;
  /** With this correlation id. */
  correlationId?: string | null | undefined;
  /** That failed in this way. */
  category?: IntegrationFailureCategory | null | undefined;
  /** Begun at this moment or later. */
  since?: string | null | undefined;
};

/** Which receipts. Every given field must match. */
export type ReceiptFilter = {
  /** Of this connection. */
  connectionId?: string | number | null | undefined;
  /** With this correlation id. */
  correlationId?: string | null | undefined;
  /** With this outcome. */
  outcome?: IntegrationReceiptOutcome | null | undefined;
  /** Of exactly this operation. */
  operation?: string | null | undefined;
};

/** Whose witness it is. */
export type ReceiptWitnessKind =
  /** The tenant’s own, by `setReceiptWitness`. */
  | 'TENANT'
  /** That of whoever runs this, for all tenants’ logs. */
  | 'OPERATOR';

/** A delivery to try a mapping on, and the settings to read it by. */
export type TryMappingInput = {
  /** A provider that maps by settings. */
  providerId?: string | number | null | undefined;
  /** As `IntegrationProvider.settingsSchema` says; they need not be those of a connection. */
  settings: Record<string, unknown>;
  /** The delivery’s headers, as text each. Its signature is not looked at. */
  headers?: Record<string, unknown> | null | undefined;
  /** The delivery’s body, as it is sent: JSON as text. */
  body: string;
};

/** An action to carry out. */
export type ExecuteActionInput = {
  /** The connection to act through. */
  connectionId: string | number;
  /** What to do. */
  action: ActionInput;
  /** 1 to 255 characters, unique in the tenant and bound to the input: repeated with the same input it answers the action there is; with another one IDEMPOTENCY_CONFLICT. */
  idempotencyKey: string;
  /** Joins the action to the caller’s own decision. Left out: the request’s X-Correlation-ID. */
  correlationId?: string | null | undefined;
  /** How long to wait for it to settle, 0 to 60; 0 accepts and answers at once. */
  waitSeconds?: number | null | undefined;
};

/** What to do: exactly one canonical verb. A provider offers some of them: see `IntegrationProvider.actions`. */
export type ActionInput =
  {   /** Creates an issue. */
  createIssue: CreateIssueInput; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never;   /** Changes an issue. */
  updateIssue: UpdateIssueInput; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never;   /** Comments on an issue. */
  addIssueComment: AddIssueCommentInput; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never;   /** Comments on a pull request. */
  commentOnPullRequest: PullRequestCommentInput; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never;   /** Merges a pull request. */
  mergePullRequest: MergePullRequestInput; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never;   /** Sets the status of a commit. */
  setCommitStatus: CommitStatusInput; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never;   /** Starts a build. */
  triggerBuild: TriggerBuildInput; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never;   /** Reacts to a message or an issue. */
  addReaction: ReactionInput; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never;   /** Posts a message in a channel. */
  postMessage: PostMessageInput; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never;   /** Replies in a thread. */
  replyInThread: ReplyInput; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never;   /** Creates a page. */
  createPage: CreatePageInput; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never;   /** Changes a page. */
  updatePage: UpdatePageInput; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never;   /** Adds text at the end of a page. */
  appendBlocks: AppendBlocksInput; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never;   /** Opens an incident. */
  createIncident: CreateIncidentInput; resolveIncident?: never; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never;   /** Resolves an incident. */
  resolveIncident: ResolveIncidentInput; completeChat?: never; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never;   /** Lets a model go on with a chat. */
  completeChat: CompleteChatInput; createEmbedding?: never; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never;   /** Lets a model turn texts into vectors. */
  createEmbedding: EmbeddingInput; custom?: never; }
  |  { createIssue?: never; updateIssue?: never; addIssueComment?: never; commentOnPullRequest?: never; mergePullRequest?: never; setCommitStatus?: never; triggerBuild?: never; addReaction?: never; postMessage?: never; replyInThread?: never; createPage?: never; updatePage?: never; appendBlocks?: never; createIncident?: never; resolveIncident?: never; completeChat?: never; createEmbedding?: never;   /** Does what the connection’s settings declare. */
  custom: CustomActionInput; };

/** An issue to create. */
export type CreateIssueInput = {
  /** Where it goes: `owner/name`, `PROJ`, a team key. */
  project: string;
  /** One line, at most 255 characters. */
  title: string;
  /** Markdown; turned into what the provider speaks. */
  body?: string | null | undefined;
  /** Labels by name. */
  labels?: Array<string> | null | undefined;
  /** Who shall do it, by the provider’s login or id. */
  assignees?: Array<string> | null | undefined;
  /** The provider’s name of a type, such as `Bug`. */
  issueType?: string | null | undefined;
};

/** What to change of an issue. What is left out stays as it is. */
export type UpdateIssueInput = {
  /** Needed where the issue’s key does not name it: `owner/name`. */
  project?: string | null | undefined;
  /** The key that people see: `7`, `PROJ-12`. */
  issue: string;
  /** One line, at most 255 characters. */
  title?: string | null | undefined;
  /** Markdown; turned into what the provider speaks. */
  body?: string | null | undefined;
  /** The name of the status it shall have, as people see it: `closed`, `In Progress`. */
  status?: string | null | undefined;
  /** All labels it shall have, by name; what is not named is taken off. */
  labels?: Array<string> | null | undefined;
  /** All who shall do it, by the provider’s login or id; who is not named is taken off. */
  assignees?: Array<string> | null | undefined;
};

/** A comment on an issue. */
export type AddIssueCommentInput = {
  /** Needed where the issue’s key does not name it: `owner/name`. */
  project?: string | null | undefined;
  /** The key that people see: `7`, `PROJ-12`. */
  issue: string;
  /** Markdown; turned into what the provider speaks. */
  body: string;
};

/** A comment on a pull request. */
export type PullRequestCommentInput = {
  /** The repository: `owner/name`. */
  repository: string;
  /** The pull request’s number. */
  number: number;
  /** Markdown; turned into what the provider speaks. */
  body: string;
};

/** A pull request to merge. */
export type MergePullRequestInput = {
  /** The repository: `owner/name`. */
  repository: string;
  /** The pull request’s number. */
  number: number;
  /** Left out: the provider’s default. */
  method?: MergeMethod | null | undefined;
  /** Title of the merge or squash commit. */
  title?: string | null | undefined;
  /** Full hash; when the head has moved on, nothing is merged. */
  expectedHeadSha?: string | null | undefined;
};

/** How a pull request’s commits reach its base branch. */
export type MergeMethod =
  /** All of them, with a merge commit. */
  | 'MERGE'
  /** As one commit. */
  | 'SQUASH'
  /** One by one on top of the base. */
  | 'REBASE';

/** The status of a commit, as one check sees it. */
export type CommitStatusInput = {
  /** The repository: `owner/name`. */
  repository: string;
  /** Full hash of the commit. */
  sha: string;
  /** Name of the check; a later status of the same name replaces this one. */
  context: string;
  /** What the check says. */
  state: CommitState;
  /** One line, at most 140 characters. */
  description?: string | null | undefined;
  /** Where the details are. */
  targetUrl?: string | null | undefined;
};

/** What a check says about a commit. */
export type CommitState =
  /** Not finished. */
  | 'PENDING'
  /** Passed. */
  | 'SUCCESS'
  /** Did not pass. */
  | 'FAILURE'
  /** Could not be carried out. */
  | 'ERROR';

/** A build to start. */
export type TriggerBuildInput = {
  /** The repository: `owner/name`. */
  repository: string;
  /** The branch or tag to build. */
  ref: string;
  /** Which build, where a repository has several: `ci.yml`. Some providers need it. */
  workflow?: string | null | undefined;
  /** What the build takes, by name; every value is text. At most 25. */
  parameters?: Record<string, unknown> | null | undefined;
};

/** A reaction to a message (give `channel` and `message`) or to an issue (give `issue`). */
export type ReactionInput = {
  /** The channel’s id at the provider. */
  channel?: string | null | undefined;
  /** The message’s id in its channel. */
  message?: string | null | undefined;
  /** Needed where the issue’s key does not name it: `owner/name`. */
  project?: string | null | undefined;
  /** The key that people see: `7`, `PROJ-12`. */
  issue?: string | null | undefined;
  /** The provider’s name of it, without colons: `rocket`, `+1`. */
  name: string;
};

/** A message to post. */
export type PostMessageInput = {
  /** The channel’s id at the provider. */
  channel: string;
  /** Markdown; turned into what the provider speaks. */
  text: string;
};

/** A reply in a thread. */
export type ReplyInput = {
  /** The channel’s id at the provider. */
  channel: string;
  /** The id of the message that began the thread. */
  thread: string;
  /** Markdown; turned into what the provider speaks. */
  text: string;
};

/** A page to create. */
export type CreatePageInput = {
  /** The id of the page or space it goes under. */
  parent: string;
  /** One line, at most 255 characters. */
  title: string;
  /** Markdown; turned into what the provider speaks. */
  body?: string | null | undefined;
};

/** What to change of a page. What is left out stays as it is. */
export type UpdatePageInput = {
  /** The page’s id at the provider. */
  page: string;
  /** One line, at most 255 characters. */
  title?: string | null | undefined;
  /** Markdown; turned into what the provider speaks. */
  body?: string | null | undefined;
  /** The version it was read at; when the page has another one, nothing is changed. */
  expectedVersion?: string | null | undefined;
};

/** Text to add at the end of a page. */
export type AppendBlocksInput = {
  /** The page’s id at the provider. */
  page: string;
  /** Markdown; turned into what the provider speaks. */
  body: string;
};

/** An incident to open. */
export type CreateIncidentInput = {
  /** The id of the service that is in trouble, at the provider. */
  service: string;
  /** One line, at most 255 characters. */
  title: string;
  /** Markdown; turned into what the provider speaks. */
  body?: string | null | undefined;
  /** Left out: the provider’s default. */
  urgency?: IncidentUrgency | null | undefined;
};

/** How soon someone has to look. */
export type IncidentUrgency =
  /** At once. */
  | 'HIGH'
  /** When there is time. */
  | 'LOW';

/** An incident to resolve. */
export type ResolveIncidentInput = {
  /** The incident’s id at the provider. */
  incident: string;
  /** What resolved it. Markdown; turned into what the provider speaks. */
  note?: string | null | undefined;
};

/** A chat for a model to go on with. */
export type CompleteChatInput = {
  /** The model’s name at the provider. */
  model: string;
  /** The chat so far, oldest first. */
  messages: Array<ChatMessageInput>;
  /** The most the answer may be long, in tokens. */
  maxOutputTokens: number;
  /** 0 to 2; some providers and models take less. Left out: the provider’s default. */
  temperature?: number | null | undefined;
};

/** One turn of a chat with a model. */
export type ChatMessageInput = {
  /** Who says it. */
  role: ChatRole;
  /** What is said. */
  content: string;
};

/** Who says something in a chat with a model. */
export type ChatRole =
  /** Whoever sets the model up. */
  | 'SYSTEM'
  /** The person. */
  | 'USER'
  /** The model itself, earlier in the chat. */
  | 'ASSISTANT';

/** Texts to turn into vectors. */
export type EmbeddingInput = {
  /** The model’s name at the provider. */
  model: string;
  /** One vector is made of each. At most 1000. */
  texts: Array<string>;
  /** How long the vectors shall be, where the model lets one choose. */
  dimensions?: number | null | undefined;
};

/** An action that the connection’s settings declare. */
export type CustomActionInput = {
  /** The name it is declared under. */
  name: string;
  /** What it takes, as declared. */
  parameters?: Record<string, unknown> | null | undefined;
};

/** An OAuth app registered with a provider, to be used in place of the operator’s. */
export type SetOAuthAppInput = {
  /** The provider, such as `github`. */
  providerId: string | number;
  /** Its client id. */
  clientId: string;
  /** Its client secret. Stored sealed. */
  clientSecret: string;
  /** Where it is registered, when you run the provider yourselves: the setting `baseUrl` of the connections it is for. Left out: with the provider’s own service. */
  baseUrl?: string | null | undefined;
};

/** A budget: for a connection, for a provider, or with neither for the whole tenant. */
export type SetCallBudgetInput = {
  /** For this connection. */
  connectionId?: string | number | null | undefined;
  /** For all of the tenant’s connections to this provider. */
  providerId?: string | number | null | undefined;
  /** Calls within an hour; 0 stops all; null: no such limit. */
  callsPerHour?: number | null | undefined;
  /** Calls within a day; 0 stops all; null: no such limit. */
  callsPerDay?: number | null | undefined;
};

/** A connection to make. */
export type ConnectInput = {
  /** The provider, such as `github`. */
  providerId: string | number;
  /** 1 to 100 characters, unique in the tenant for its provider. */
  name: string;
  /** What it is for, at most 1,000 characters. */
  description?: string | null | undefined;
  /** One of `IntegrationProvider.authMethods`. */
  authMethod: IntegrationAuthMethod;
  /** The secret fields of `IntegrationProvider.credentialSchema`, such as `{ token }`; `{ clientId, clientSecret }` for OAUTH2_CLIENT_CREDENTIALS; left out for OAUTH2. Each may be a reference such as `vault://…` instead, and so may the whole: `{ reference }`. Stored sealed. */
  credential?: Record<string, unknown> | null | undefined;
  /** For OAUTH2: where the browser goes after the consent; one of the operator’s OAUTH_RETURN_TO. Left out: a plain page. */
  returnTo?: string | null | undefined;
  /** As `IntegrationProvider.settingsSchema` says. */
  settings?: Record<string, unknown> | null | undefined;
  /** What it may be used for. Left out: all that the connector can do. */
  capabilities?: Array<IntegrationCapability> | null | undefined;
  /** Words of your own to find it by, at most 20. */
  tags?: Array<string> | null | undefined;
};

/** What to replace by a new one. */
export type RotateInput = {
  /** The connection. */
  connectionId: string | number;
  /** Which of its secrets. */
  what: RotateTarget;
  /** For CREDENTIAL: the new one, as `IntegrationProvider.credentialSchema` says. It is tried before it replaces the old one. */
  credential?: Record<string, unknown> | null | undefined;
  /** For WEBHOOK_SECRET: the one that the provider has made and shown to its admin. Left out: we make one and show it, or ask the provider where it makes that of a registered webhook. */
  webhookSecret?: string | null | undefined;
  /** For a webhook: how many seconds the old secret or URL counts beside the new one, at most 30 days. */
  overlapSeconds?: number | null | undefined;
};

/** What is replaced by a new one. */
export type RotateTarget =
  /** What calls to the provider are signed with; the new one is given. */
  | 'CREDENTIAL'
  /** What the provider signs webhooks with; the new one is made and shown. */
  | 'WEBHOOK_SECRET'
  /** The key that seals the secrets of the whole tenant. What is sealed already is sealed anew in the background. */
  | 'ENCRYPTION_KEY'
  /** The secret part of the webhook’s URL; the new one is made and shown. */
  | 'WEBHOOK_TOKEN';

/** What to change. A field that is left out stays as it is. */
export type UpdateConnectionInput = {
  /** The connection. */
  connectionId: string | number;
  /** Its new name: 1 to 100 characters. */
  name?: string | null | undefined;
  /** Its new description; null takes it away. */
  description?: string | null | undefined;
  /** Its new tags, all of them. */
  tags?: Array<string> | null | undefined;
  /** Its new settings, all of them, as `IntegrationProvider.settingsSchema` says. Those of an ACTIVE connection are tried first. */
  settings?: Record<string, unknown> | null | undefined;
  /** For settings that name another address of the provider: a credential for that, which replaces the one there is. */
  credential?: Record<string, unknown> | null | undefined;
};

/** A webhook to set up at the provider. */
export type RegisterWebhookInput = {
  /** The connection. */
  connectionId: string | number;
  /** About what it shall tell, as `IntegrationProvider.webhookTargetSchema` says. */
  target: Record<string, unknown>;
  /** Which of `IntegrationProvider.triggers` it shall bring, by their `signalType`. Left out: all that the provider has a name for. */
  signalTypes?: Array<string> | null | undefined;
};

/** An app whose webhooks come to one address. */
export type RegisterWebhookAppInput = {
  /** The provider, such as `slack`. */
  providerId: string | number;
  /** What the provider signs the app’s webhooks with. Stored sealed. Left out where the provider hands it out itself: `showWebhookAppSecret` tells it then. */
  secret?: string | null | undefined;
};

/** What came of trying again. */
export type RedriveOutcome =
  /** It is through: its signals are in the feed, or the action has SUCCEEDED. */
  | 'DONE'
  /** It failed again; `reason` says why. */
  | 'FAILED'
  /** The action is under way, or waits for its next attempt. */
  | 'PENDING'
  /** Nothing was done; `reason` says why. */
  | 'SKIPPED';

/** Which dead letters to try again: either by their ids, or all that match. */
export type RedriveInput = {
  /** These: at most 100. */
  ids?: Array<string | number> | null | undefined;
  /** Or those that match, oldest first. Deliveries whose body was deleted are left out. */
  filter?: DeadLetterFilter | null | undefined;
  /** How many of those that match in this call: 1 to 100. */
  first?: number | null | undefined;
  /** The `endCursor` of the call before. */
  after?: string | null | undefined;
};

/** How a connection shall be polled. What is left out stays as it is. */
export type SetPollingInput = {
  /** The connection. */
  connectionId: string | number;
  /** Whether to poll it at all. Cursors stay. */
  isOn?: boolean | null | undefined;
  /** The shortest interval, in seconds: 30 to 86,400. */
  minSeconds?: number | null | undefined;
  /** The longest interval, in seconds: 30 to 86,400. */
  maxSeconds?: number | null | undefined;
};

/** What today’s connector makes different. */
export type SignalChangeKind =
  /** It makes a signal that is not there. */
  | 'ADDED'
  /** It tells the signal differently. */
  | 'CHANGED'
  /** It does not make the signal any more. A replay leaves such a signal as it is. */
  | 'REMOVED';

/** Which deliveries to normalise again. */
export type ReplayInput = {
  /** Those of this connection … */
  connectionId: string | number;
  /** … that came at this moment or later … */
  from: string;
  /** … and before this one. */
  to: string;
  /** Only tell what would change. False writes it: changed signals become new versions. */
  dryRun?: boolean | null | undefined;
  /** How many deliveries in this call: 1 to 500. */
  first?: number | null | undefined;
  /** The `endCursor` of the call before. */
  after?: string | null | undefined;
};

export type ActionQueryVariables = Exact<{
  id?: string | number | null | undefined;
  idempotencyKey?: string | null | undefined;
}>;


export type ActionQuery = { action: { id: string, type: string, status: IntegrationActionStatus, attempts: number, nextAttemptAt: string | null, result: { externalId: string, url: string | null } | null, failure: { category: IntegrationFailureCategory, message: string, retryAt: string | null } | null, receipt: { id: string, outcome: IntegrationReceiptOutcome } | null } | null };

export type ActionsQueryVariables = Exact<{
  filter?: ActionFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ActionsQuery = { actions: { nodes: Array<{ id: string, type: string, status: IntegrationActionStatus, correlationId: string | null, createdAt: string, settledAt: string | null, failure: { category: IntegrationFailureCategory, message: string } | null, connection: { id: string, name: string } }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } };

export type AuthorizeMutationVariables = Exact<{
  connectionId: string | number;
  returnTo?: string | null | undefined;
}>;


export type AuthorizeMutation = { authorize: { authorizationUrl: string, connection: { id: string, status: IntegrationConnectionStatus, statusReason: { code: string, message: string } | null } } };

export type ConnectMutationVariables = Exact<{
  input: ConnectInput;
}>;


export type ConnectMutation = { connect: { authorizationUrl: string | null, connection: { id: string, status: IntegrationConnectionStatus }, webhook: { url: string, secret: string | null, instructions: string | null } | null } };

export type ConnectionChangedSubscriptionVariables = Exact<{
  connectionId?: string | number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConnectionChangedSubscription = { connectionChanged: { cursor: string, verb: string, outcome: IntegrationReceiptOutcome, previousStatus: IntegrationConnectionStatus | null, status: IntegrationConnectionStatus, occurredAt: string, connection: { id: string, name: string, status: IntegrationConnectionStatus, statusReason: { code: string, message: string } | null } } };

export type ConnectionQueryVariables = Exact<{
  id: string | number;
}>;


export type ConnectionQuery = { connection: { id: string, name: string, description: string | null, status: IntegrationConnectionStatus, authMethod: IntegrationAuthMethod, capabilities: Array<IntegrationCapability>, createdAt: string, updatedAt: string, verifiedAt: string | null, statusReason: { code: string, message: string, since: string } | null, account: { id: string, name: string, url: string | null } | null, credential: { version: number, createdAt: string, scopes: Array<string> | null } | null, webhook: { url: string, createdAt: string, registrations: Array<{ id: string, target: Record<string, unknown>, externalId: string, events: Array<string>, createdAt: string, updatedAt: string, expiresAt: string | null, renewalFailure: { category: IntegrationFailureCategory, code: string, message: string, providerStatus: number | null, at: string | null } | null }> } | null, health: { status: IntegrationHealthStatus, lastSuccessAt: string | null, lastFailureAt: string | null, successRate1h: number | null, requests1h: number, errors1h: number, latencyP50Ms: number | null, latencyP95Ms: number | null, freshnessLagSeconds: number | null, recentErrors: Array<{ category: IntegrationFailureCategory, code: string, message: string, at: string | null }> }, rateLimit: { multiplier: number, pausedUntil: string | null, windows: Array<{ bucket: string, limit: number, remaining: number, resetsAt: string | null }> }, circuit: { state: ConnectionCircuitState, openedAt: string | null, retryAt: string | null }, callBudgets: Array<{ scope: CallBudgetScope, callsPerHour: number | null, callsPerDay: number | null }>, signals: { nodes: Array<{ id: string, type: string, occurredAt: string }> }, actions: { nodes: Array<{ id: string, type: string, status: IntegrationActionStatus }> } } | null };

export type ConnectionsQueryVariables = Exact<{
  filter?: ConnectionFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ConnectionsQuery = { connections: { nodes: Array<{ id: string, name: string, status: IntegrationConnectionStatus, tags: Array<string>, createdAt: string, provider: { id: string, name: string }, health: { status: IntegrationHealthStatus, successRate1h: number | null } }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } };

export type DeadLettersQueryVariables = Exact<{
  filter?: DeadLetterFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type DeadLettersQuery = { deadLetters: { nodes: Array<{ id: string, kind: DeadLetterKind, type: string, reason: string, attempts: number, occurredAt: string, connection: { id: string, name: string }, provider: { id: string } | null }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } };

export type DisconnectMutationVariables = Exact<{
  connectionId: string | number;
}>;


export type DisconnectMutation = { disconnect: { id: string, status: IntegrationConnectionStatus } };

export type ExecuteActionMutationVariables = Exact<{
  input: ExecuteActionInput;
}>;


export type ExecuteActionMutation = { executeAction: { id: string, type: string, status: IntegrationActionStatus, idempotencyKey: string, correlationId: string | null, attempts: number, redrives: number, nextAttemptAt: string | null, createdAt: string, settledAt: string | null, result: { externalId: string, url: string | null, output: Record<string, unknown> } | null, failure: { category: IntegrationFailureCategory, code: string, message: string, providerStatus: number | null, retryAt: string | null } | null } };

export type ActionFieldsFragment = { id: string, type: string, status: IntegrationActionStatus, idempotencyKey: string, correlationId: string | null, attempts: number, redrives: number, nextAttemptAt: string | null, createdAt: string, settledAt: string | null, result: { externalId: string, url: string | null, output: Record<string, unknown> } | null, failure: { category: IntegrationFailureCategory, code: string, message: string, providerStatus: number | null, retryAt: string | null } | null };

export type HealthChangedSubscriptionVariables = Exact<{
  connectionId?: string | number | null | undefined;
  after?: string | null | undefined;
}>;


export type HealthChangedSubscription = { healthChanged: { cursor: string, previousStatus: IntegrationHealthStatus, status: IntegrationHealthStatus, reason: IntegrationHealthReason | null, occurredAt: string, connection: { id: string, name: string } } };

export type HealthHistoryQueryVariables = Exact<{
  connectionId: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type HealthHistoryQuery = { connection: { id: string, health: { status: IntegrationHealthStatus, reason: IntegrationHealthReason | null, since: string, history: { nodes: Array<{ cursor: string, previousStatus: IntegrationHealthStatus, status: IntegrationHealthStatus, reason: IntegrationHealthReason | null, occurredAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } } | null };

export type HealthQueryVariables = Exact<{ [key: string]: never; }>;


export type HealthQuery = { health: { counts: Array<{ status: IntegrationHealthStatus, count: number }>, worst: Array<{ status: IntegrationHealthStatus, successRate1h: number | null, connection: { id: string, name: string, status: IntegrationConnectionStatus }, recentErrors: Array<{ category: IntegrationFailureCategory, message: string, at: string | null }> }> } };

export type IncidentSinkQueryVariables = Exact<{ [key: string]: never; }>;


export type IncidentSinkQuery = { incidentSink: { url: string, updatedAt: string } | null };

export type IncidentsQueryVariables = Exact<{
  filter?: IncidentFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type IncidentsQuery = { incidents: { nodes: Array<{ id: string, kind: IncidentKind, scope: CallBudgetScope, providerId: string | null, message: string, openedAt: string, resolvedAt: string | null, endsAt: string | null, connection: { id: string, name: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type IntegrationLogsQueryVariables = Exact<{
  filter?: IntegrationLogFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type IntegrationLogsQuery = { integrationLogs: { nodes: Array<{ id: string, operation: string, method: string, endpoint: string, status: number | null, category: IntegrationFailureCategory | null, code: string | null, attempts: number, durationMs: number, correlationId: string, traceId: string | null, limitRemaining: number | null, calledAt: string, connection: { id: string, name: string } | null }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } };

export type OAuthAppsQueryVariables = Exact<{ [key: string]: never; }>;


export type OAuthAppsQuery = { oauthApps: Array<{ clientId: string, baseUrl: string | null, updatedAt: string, provider: { id: string } }> };

export type SetOAuthAppMutationVariables = Exact<{
  input: SetOAuthAppInput;
}>;


export type SetOAuthAppMutation = { setOAuthApp: { clientId: string, provider: { id: string } } };

export type RemoveOAuthAppMutationVariables = Exact<{
  providerId: string | number;
}>;


export type RemoveOAuthAppMutation = { removeOAuthApp: boolean };

export type PollNowMutationVariables = Exact<{
  connectionId: string | number;
  backfillSince?: string | null | undefined;
}>;


export type PollNowMutation = { pollNow: { id: string, polling: { streams: Array<{ name: string, nextAt: string | null, backfill: { since: string, status: PollBackfillStatus, progress: number | null } | null }> } | null } };

export type PollingQueryVariables = Exact<{
  connectionId: string | number;
}>;


export type PollingQuery = { connection: { polling: { isOn: boolean, minSeconds: number, maxSeconds: number, gaps: number, streams: Array<{ name: string, title: string, nextAt: string | null, intervalSeconds: number, lastPolledAt: string | null, lastFoundAt: string | null, lagSeconds: number | null, failure: { category: IntegrationFailureCategory, code: string, message: string, retryAt: string | null, at: string | null } | null, backfill: { since: string, status: PollBackfillStatus, progress: number | null, found: number, failure: { code: string, message: string } | null } | null }> } | null } | null };

export type ProbeMutationVariables = Exact<{
  connectionId: string | number;
}>;


export type ProbeMutation = { probe: { succeeded: boolean, durationMs: number, failure: { category: IntegrationFailureCategory, code: string, message: string } | null, connection: { id: string, status: IntegrationConnectionStatus } } };

export type ProviderQueryVariables = Exact<{
  id: string | number;
}>;


export type ProviderQuery = { provider: { id: string, name: string, description: string, authMethods: Array<IntegrationAuthMethod>, credentialSchema: Record<string, unknown>, settingsSchema: Record<string, unknown>, capabilities: Array<IntegrationCapability>, actions: Array<{ type: string, title: string, inputSchema: Record<string, unknown>, requiredScopes: Array<string> }> } | null };

export type ProvidersQueryVariables = Exact<{
  category?: IntegrationCategory | null | undefined;
  capability?: IntegrationCapability | null | undefined;
}>;


export type ProvidersQuery = { providers: Array<{ id: string, name: string, description: string, category: IntegrationCategory, stage: IntegrationStage, authMethods: Array<IntegrationAuthMethod>, capabilities: Array<IntegrationCapability>, credentialSchema: Record<string, unknown>, webhookTargetSchema: Record<string, unknown> | null, scopes: Array<{ scope: string, reason: string }>, actions: Array<{ type: string, title: string, idempotency: IdempotencyGuarantee }>, triggers: Array<{ signalType: string, title: string }> }> };

export type QuotaQueryVariables = Exact<{ [key: string]: never; }>;


export type QuotaQuery = { quota: { plan: string, limits: { connections: number }, used: { connections: number } } };

export type ReceiptCheckpointAddedSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ReceiptCheckpointAddedSubscription = { receiptCheckpointAdded: { cursor: string, size: string, root: string, note: string, createdAt: string } };

export type ReceiptCheckpointQueryVariables = Exact<{ [key: string]: never; }>;


export type ReceiptCheckpointQuery = { receiptCheckpoint: { size: string, root: string, note: string, createdAt: string, cursor: string } | null };

export type ReceiptConsistencyQueryVariables = Exact<{
  from: string;
  to: string;
}>;


export type ReceiptConsistencyQuery = { receiptConsistency: { hashes: Array<string> } };

export type ReceiptProofQueryVariables = Exact<{
  id: string | number;
}>;


export type ReceiptProofQuery = { receipt: { id: string, operation: string, outcome: IntegrationReceiptOutcome, actor: string | null, correlationId: string | null, traceId: string | null, request: Record<string, unknown> | null, result: Record<string, unknown> | null, occurredAt: string, bodyDeletedAt: string | null, leafIndex: string | null, proof: { leaf: string, salt: string | null, hashes: Array<string>, checkpoint: { size: string, root: string, note: string } } | null } | null };

export type ReceiptWitnessesQueryVariables = Exact<{ [key: string]: never; }>;


export type ReceiptWitnessesQuery = { receiptWitnesses: Array<{ kind: ReceiptWitnessKind, url: string | null, lastSize: string | null, lastAt: string | null, lastError: string | null, conflict: string | null, conflictAt: string | null }> };

export type ReceiptsQueryVariables = Exact<{
  filter?: ReceiptFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ReceiptsQuery = { receipts: { nodes: Array<{ id: string, operation: string, outcome: IntegrationReceiptOutcome, actor: string | null, correlationId: string | null, traceId: string | null, request: Record<string, unknown> | null, result: Record<string, unknown> | null, occurredAt: string, connection: { id: string, name: string } | null }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } };

export type RedriveMutationVariables = Exact<{
  input: RedriveInput;
}>;


export type RedriveMutation = { redrive: { endCursor: string | null, letters: Array<{ id: string, kind: DeadLetterKind, outcome: RedriveOutcome, reason: string | null }> } };

export type RegisterWebhookMutationVariables = Exact<{
  input: RegisterWebhookInput;
}>;


export type RegisterWebhookMutation = { registerWebhook: { registration: { id: string, target: Record<string, unknown>, externalId: string, events: Array<string>, createdAt: string, updatedAt: string, expiresAt: string | null, renewalFailure: { category: IntegrationFailureCategory, code: string, message: string, providerStatus: number | null, at: string | null } | null } | null, failure: { category: IntegrationFailureCategory, code: string, message: string, providerStatus: number | null, retryAt: string | null } | null } };

export type ReplaySignalsMutationVariables = Exact<{
  input: ReplayInput;
}>;


export type ReplaySignalsMutation = { replaySignals: { deliveries: number, endCursor: string | null, changes: Array<{ kind: SignalChangeKind, signalId: string, type: string, deliveryId: string, fields: Array<string> }>, failures: Array<{ deliveryId: string, reason: string }> } };

export type ResumeMutationVariables = Exact<{
  connectionId: string | number;
}>;


export type ResumeMutation = { resume: { id: string, status: IntegrationConnectionStatus, statusReason: { code: string, message: string } | null } };

export type RotateMutationVariables = Exact<{
  input: RotateInput;
}>;


export type RotateMutation = { rotate: { connection: { id: string, status: IntegrationConnectionStatus, credential: { version: number } | null, webhook: { previousSecretUntil: string | null, previousTokenUntil: string | null } | null }, webhook: { url: string, secret: string | null, instructions: string | null } | null, failure: { category: IntegrationFailureCategory, code: string, message: string } | null, registrationFailures: Array<{ registration: { id: string, target: Record<string, unknown>, externalId: string }, failure: { category: IntegrationFailureCategory, code: string, message: string } }> } };

export type SecretAccessesQueryVariables = Exact<{
  connectionId: string | number;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type SecretAccessesQuery = { connection: { id: string, credential: { version: number, keyVersion: number } | null, secretAccesses: { nodes: Array<{ id: string, field: SecretAccessField, secretVersion: number | null, actor: string, purpose: string, correlationId: string | null, accessedAt: string }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } } | null };

export type SetCallBudgetMutationVariables = Exact<{
  input: SetCallBudgetInput;
}>;


export type SetCallBudgetMutation = { setCallBudget: { scope: CallBudgetScope, callsPerHour: number | null, callsPerDay: number | null } };

export type SetIncidentSinkMutationVariables = Exact<{
  url?: string | null | undefined;
}>;


export type SetIncidentSinkMutation = { setIncidentSink: { secret: string | null, sink: { url: string, updatedAt: string } | null } };

export type SetPollingMutationVariables = Exact<{
  input: SetPollingInput;
}>;


export type SetPollingMutation = { setPolling: { id: string, polling: { isOn: boolean, minSeconds: number, maxSeconds: number } | null } };

export type SetReceiptWitnessMutationVariables = Exact<{
  url?: string | null | undefined;
}>;


export type SetReceiptWitnessMutation = { setReceiptWitness: { secret: string | null, witness: { kind: ReceiptWitnessKind, url: string | null } | null } };

export type SignalReceivedSubscriptionVariables = Exact<{
  filter?: SignalFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type SignalReceivedSubscription = { signalReceived: { id: string, cursor: string, sequence: string, revision: number, revisedAt: string | null, type: string, occurredAt: string, ingestedAt: string, correlationId: string | null, traceId: string | null, spanId: string | null, payload: Record<string, unknown>, resource: { repository: string | null, branch: string | null, prId: string | null, commit: string | null } | null, evidence: Array<{ type: string, url: string, title: string | null }> } };

export type SignalQueryVariables = Exact<{
  id: string | number;
}>;


export type SignalQuery = { signal: { id: string, type: string, kind: SignalKind, occurredAt: string, ingestedAt: string, sequence: string, cursor: string, payload: Record<string, unknown>, resource: { repository: string | null, branch: string | null, prId: string | null, commit: string | null } | null, evidence: Array<{ type: string, url: string, title: string | null }>, connection: { id: string, name: string } } | null };

export type SignalsQueryVariables = Exact<{
  filter?: SignalFilter | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type SignalsQuery = { signals: { nodes: Array<{ id: string, cursor: string, sequence: string, revision: number, revisedAt: string | null, type: string, kind: SignalKind, environment: SignalEnvironment, occurredAt: string, ingestedAt: string, correlationId: string | null, payload: Record<string, unknown>, resource: { repository: string | null, branch: string | null, prId: string | null, commit: string | null } | null, evidence: Array<{ type: string, url: string, title: string | null }>, connection: { id: string, name: string } }>, pageInfo: { endCursor: string | null, hasNextPage: boolean } } };

export type SignalFieldsFragment = { id: string, cursor: string, sequence: string, revision: number, revisedAt: string | null, type: string, kind: SignalKind, environment: SignalEnvironment, occurredAt: string, ingestedAt: string, correlationId: string | null, payload: Record<string, unknown>, resource: { repository: string | null, branch: string | null, prId: string | null, commit: string | null } | null, evidence: Array<{ type: string, url: string, title: string | null }>, connection: { id: string, name: string } };

export type SuspendMutationVariables = Exact<{
  connectionId: string | number;
  reason?: string | null | undefined;
}>;


export type SuspendMutation = { suspend: { id: string, status: IntegrationConnectionStatus, statusReason: { code: string, message: string, since: string } | null } };

export type TryMappingQueryVariables = Exact<{
  input: TryMappingInput;
}>;


export type TryMappingQuery = { tryMapping: { eventId: string | null, eventType: string | null, signals: Array<Record<string, unknown>>, problems: Array<{ path: string, problem: string, line: number | null, column: number | null }> } };

export type UnregisterWebhookMutationVariables = Exact<{
  connectionId: string | number;
  registrationId?: string | number | null | undefined;
}>;


export type UnregisterWebhookMutation = { unregisterWebhook: { failures: Array<{ registration: { id: string, externalId: string }, failure: { category: IntegrationFailureCategory, code: string, message: string } }> } };

export type UpdateConnectionMutationVariables = Exact<{
  input: UpdateConnectionInput;
}>;


export type UpdateConnectionMutation = { updateConnection: { id: string, name: string, description: string | null, tags: Array<string>, settings: Record<string, unknown>, status: IntegrationConnectionStatus, updatedAt: string } };

export type VerifyMutationVariables = Exact<{
  connectionId: string | number;
}>;


export type VerifyMutation = { verify: { id: string, status: IntegrationConnectionStatus, verifiedAt: string | null, statusReason: { code: string, message: string, since: string } | null, account: { id: string, name: string, url: string | null } | null, credential: { version: number, scopes: Array<string> | null } | null } };

export type WebhookAppsQueryVariables = Exact<{ [key: string]: never; }>;


export type WebhookAppsQuery = { webhookApps: Array<{ handshake: WebhookHandshake | null, updatedAt: string, provider: { id: string } }> };

export type RegisterWebhookAppMutationVariables = Exact<{
  input: RegisterWebhookAppInput;
}>;


export type RegisterWebhookAppMutation = { registerWebhookApp: { url: string, app: { handshake: WebhookHandshake | null, provider: { id: string } } } };

export type RemoveWebhookAppMutationVariables = Exact<{
  providerId: string | number;
}>;


export type RemoveWebhookAppMutation = { removeWebhookApp: boolean };

export type ShowWebhookAppSecretMutationVariables = Exact<{
  providerId: string | number;
}>;


export type ShowWebhookAppSecretMutation = { showWebhookAppSecret: { secret: string } };

export type ShowWebhookSecretMutationVariables = Exact<{
  connectionId: string | number;
}>;


export type ShowWebhookSecretMutation = { showWebhookSecret: { secret: string } };

export const ActionFieldsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ActionFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"IntegrationAction"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"idempotencyKey"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"attempts"}},{"kind":"Field","name":{"kind":"Name","value":"redrives"}},{"kind":"Field","name":{"kind":"Name","value":"nextAttemptAt"}},{"kind":"Field","name":{"kind":"Name","value":"result"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"externalId"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"output"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"providerStatus"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"settledAt"}}]}}]} as unknown as DocumentNode<ActionFieldsFragment, unknown>;
export const SignalFieldsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"SignalFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Signal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"sequence"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"revisedAt"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"environment"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"ingestedAt"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"resource"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"repository"}},{"kind":"Field","name":{"kind":"Name","value":"branch"}},{"kind":"Field","name":{"kind":"Name","value":"prId"}},{"kind":"Field","name":{"kind":"Name","value":"commit"}}]}},{"kind":"Field","name":{"kind":"Name","value":"payload"}},{"kind":"Field","name":{"kind":"Name","value":"evidence"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<SignalFieldsFragment, unknown>;
export const ActionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Action"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"idempotencyKey"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"action"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"idempotencyKey"},"value":{"kind":"Variable","name":{"kind":"Name","value":"idempotencyKey"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempts"}},{"kind":"Field","name":{"kind":"Name","value":"nextAttemptAt"}},{"kind":"Field","name":{"kind":"Name","value":"result"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"externalId"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"receipt"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"outcome"}}]}}]}}]}}]} as unknown as DocumentNode<ActionQuery, ActionQueryVariables>;
export const ActionsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Actions"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ActionFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"actions"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"settledAt"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}}]} as unknown as DocumentNode<ActionsQuery, ActionsQueryVariables>;
export const AuthorizeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Authorize"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"returnTo"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"URL"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"authorize"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}},{"kind":"Argument","name":{"kind":"Name","value":"returnTo"},"value":{"kind":"Variable","name":{"kind":"Name","value":"returnTo"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"authorizationUrl"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"statusReason"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]}}]} as unknown as DocumentNode<AuthorizeMutation, AuthorizeMutationVariables>;
export const ConnectDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Connect"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ConnectInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connect"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"authorizationUrl"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}},{"kind":"Field","name":{"kind":"Name","value":"webhook"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"secret"}},{"kind":"Field","name":{"kind":"Name","value":"instructions"}}]}}]}}]}}]} as unknown as DocumentNode<ConnectMutation, ConnectMutationVariables>;
export const ConnectionChangedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"ConnectionChanged"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connectionChanged"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"verb"}},{"kind":"Field","name":{"kind":"Name","value":"outcome"}},{"kind":"Field","name":{"kind":"Name","value":"previousStatus"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"statusReason"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]}}]} as unknown as DocumentNode<ConnectionChangedSubscription, ConnectionChangedSubscriptionVariables>;
export const ConnectionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Connection"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"statusReason"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"Field","name":{"kind":"Name","value":"authMethod"}},{"kind":"Field","name":{"kind":"Name","value":"capabilities"}},{"kind":"Field","name":{"kind":"Name","value":"account"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}},{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"scopes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"webhook"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"registrations"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"target"}},{"kind":"Field","name":{"kind":"Name","value":"externalId"}},{"kind":"Field","name":{"kind":"Name","value":"events"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"renewalFailure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"providerStatus"}},{"kind":"Field","name":{"kind":"Name","value":"at"}}]}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"health"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"lastSuccessAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastFailureAt"}},{"kind":"Field","name":{"kind":"Name","value":"successRate1h"}},{"kind":"Field","name":{"kind":"Name","value":"requests1h"}},{"kind":"Field","name":{"kind":"Name","value":"errors1h"}},{"kind":"Field","name":{"kind":"Name","value":"latencyP50Ms"}},{"kind":"Field","name":{"kind":"Name","value":"latencyP95Ms"}},{"kind":"Field","name":{"kind":"Name","value":"freshnessLagSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"recentErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"at"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"rateLimit"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"multiplier"}},{"kind":"Field","name":{"kind":"Name","value":"pausedUntil"}},{"kind":"Field","name":{"kind":"Name","value":"windows"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"bucket"}},{"kind":"Field","name":{"kind":"Name","value":"limit"}},{"kind":"Field","name":{"kind":"Name","value":"remaining"}},{"kind":"Field","name":{"kind":"Name","value":"resetsAt"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"circuit"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"state"}},{"kind":"Field","name":{"kind":"Name","value":"openedAt"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"callBudgets"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"scope"}},{"kind":"Field","name":{"kind":"Name","value":"callsPerHour"}},{"kind":"Field","name":{"kind":"Name","value":"callsPerDay"}}]}},{"kind":"Field","name":{"kind":"Name","value":"signals"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"5"}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"actions"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"5"}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"verifiedAt"}}]}}]}}]} as unknown as DocumentNode<ConnectionQuery, ConnectionQueryVariables>;
export const ConnectionsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Connections"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ConnectionFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connections"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"provider"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"health"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"successRate1h"}}]}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}}]} as unknown as DocumentNode<ConnectionsQuery, ConnectionsQueryVariables>;
export const DeadLettersDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"DeadLetters"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"DeadLetterFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deadLetters"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"attempts"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"provider"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}}]} as unknown as DocumentNode<DeadLettersQuery, DeadLettersQueryVariables>;
export const DisconnectDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Disconnect"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"disconnect"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}}]}}]} as unknown as DocumentNode<DisconnectMutation, DisconnectMutationVariables>;
export const ExecuteActionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ExecuteAction"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ExecuteActionInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"executeAction"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ActionFields"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ActionFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"IntegrationAction"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"idempotencyKey"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"attempts"}},{"kind":"Field","name":{"kind":"Name","value":"redrives"}},{"kind":"Field","name":{"kind":"Name","value":"nextAttemptAt"}},{"kind":"Field","name":{"kind":"Name","value":"result"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"externalId"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"output"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"providerStatus"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"settledAt"}}]}}]} as unknown as DocumentNode<ExecuteActionMutation, ExecuteActionMutationVariables>;
export const HealthChangedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"HealthChanged"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"healthChanged"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"previousStatus"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}}]} as unknown as DocumentNode<HealthChangedSubscription, HealthChangedSubscriptionVariables>;
export const HealthHistoryDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"HealthHistory"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}},"defaultValue":{"kind":"IntValue","value":"20"}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"health"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"since"}},{"kind":"Field","name":{"kind":"Name","value":"history"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"previousStatus"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]}}]}}]} as unknown as DocumentNode<HealthHistoryQuery, HealthHistoryQueryVariables>;
export const HealthDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Health"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"health"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"counts"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"worst"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}},{"kind":"Field","name":{"kind":"Name","value":"successRate1h"}},{"kind":"Field","name":{"kind":"Name","value":"recentErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"at"}}]}}]}}]}}]}}]} as unknown as DocumentNode<HealthQuery, HealthQueryVariables>;
export const IncidentSinkDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"IncidentSink"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"incidentSink"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]}}]} as unknown as DocumentNode<IncidentSinkQuery, IncidentSinkQueryVariables>;
export const IncidentsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Incidents"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"IncidentFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}},"defaultValue":{"kind":"IntValue","value":"20"}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"incidents"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"scope"}},{"kind":"Field","name":{"kind":"Name","value":"providerId"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"openedAt"}},{"kind":"Field","name":{"kind":"Name","value":"resolvedAt"}},{"kind":"Field","name":{"kind":"Name","value":"endsAt"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]} as unknown as DocumentNode<IncidentsQuery, IncidentsQueryVariables>;
export const IntegrationLogsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"IntegrationLogs"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"IntegrationLogFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"integrationLogs"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"method"}},{"kind":"Field","name":{"kind":"Name","value":"endpoint"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"attempts"}},{"kind":"Field","name":{"kind":"Name","value":"durationMs"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"traceId"}},{"kind":"Field","name":{"kind":"Name","value":"limitRemaining"}},{"kind":"Field","name":{"kind":"Name","value":"calledAt"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}}]} as unknown as DocumentNode<IntegrationLogsQuery, IntegrationLogsQueryVariables>;
export const OAuthAppsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"OAuthApps"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"oauthApps"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"clientId"}},{"kind":"Field","name":{"kind":"Name","value":"baseUrl"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]}}]} as unknown as DocumentNode<OAuthAppsQuery, OAuthAppsQueryVariables>;
export const SetOAuthAppDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetOAuthApp"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"SetOAuthAppInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setOAuthApp"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"clientId"}}]}}]}}]} as unknown as DocumentNode<SetOAuthAppMutation, SetOAuthAppMutationVariables>;
export const RemoveOAuthAppDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RemoveOAuthApp"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"providerId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"removeOAuthApp"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"providerId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"providerId"}}}]}]}}]} as unknown as DocumentNode<RemoveOAuthAppMutation, RemoveOAuthAppMutationVariables>;
export const PollNowDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"PollNow"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"backfillSince"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"DateTime"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"pollNow"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}},{"kind":"Argument","name":{"kind":"Name","value":"backfillSince"},"value":{"kind":"Variable","name":{"kind":"Name","value":"backfillSince"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"polling"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"streams"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"nextAt"}},{"kind":"Field","name":{"kind":"Name","value":"backfill"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"since"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}}]}}]}}]}}]}}]}}]} as unknown as DocumentNode<PollNowMutation, PollNowMutationVariables>;
export const PollingDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Polling"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"polling"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOn"}},{"kind":"Field","name":{"kind":"Name","value":"minSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"maxSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"gaps"}},{"kind":"Field","name":{"kind":"Name","value":"streams"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"nextAt"}},{"kind":"Field","name":{"kind":"Name","value":"intervalSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"lastPolledAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastFoundAt"}},{"kind":"Field","name":{"kind":"Name","value":"lagSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}},{"kind":"Field","name":{"kind":"Name","value":"at"}}]}},{"kind":"Field","name":{"kind":"Name","value":"backfill"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"since"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"found"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]}}]}}]}}]} as unknown as DocumentNode<PollingQuery, PollingQueryVariables>;
export const ProbeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Probe"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"probe"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"succeeded"}},{"kind":"Field","name":{"kind":"Name","value":"durationMs"}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}}]}}]}}]} as unknown as DocumentNode<ProbeMutation, ProbeMutationVariables>;
export const ProviderDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Provider"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"authMethods"}},{"kind":"Field","name":{"kind":"Name","value":"credentialSchema"}},{"kind":"Field","name":{"kind":"Name","value":"settingsSchema"}},{"kind":"Field","name":{"kind":"Name","value":"capabilities"}},{"kind":"Field","name":{"kind":"Name","value":"actions"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"inputSchema"}},{"kind":"Field","name":{"kind":"Name","value":"requiredScopes"}}]}}]}}]}}]} as unknown as DocumentNode<ProviderQuery, ProviderQueryVariables>;
export const ProvidersDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Providers"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"category"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"IntegrationCategory"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"capability"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"IntegrationCapability"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"providers"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"category"},"value":{"kind":"Variable","name":{"kind":"Name","value":"category"}}},{"kind":"Argument","name":{"kind":"Name","value":"capability"},"value":{"kind":"Variable","name":{"kind":"Name","value":"capability"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"authMethods"}},{"kind":"Field","name":{"kind":"Name","value":"capabilities"}},{"kind":"Field","name":{"kind":"Name","value":"credentialSchema"}},{"kind":"Field","name":{"kind":"Name","value":"webhookTargetSchema"}},{"kind":"Field","name":{"kind":"Name","value":"scopes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"scope"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"actions"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"title"}},{"kind":"Field","name":{"kind":"Name","value":"idempotency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"triggers"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"signalType"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}}]}}]}}]} as unknown as DocumentNode<ProvidersQuery, ProvidersQueryVariables>;
export const QuotaDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Quota"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"quota"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"plan"}},{"kind":"Field","name":{"kind":"Name","value":"limits"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connections"}}]}},{"kind":"Field","name":{"kind":"Name","value":"used"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connections"}}]}}]}}]}}]} as unknown as DocumentNode<QuotaQuery, QuotaQueryVariables>;
export const ReceiptCheckpointAddedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"ReceiptCheckpointAdded"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receiptCheckpointAdded"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"size"}},{"kind":"Field","name":{"kind":"Name","value":"root"}},{"kind":"Field","name":{"kind":"Name","value":"note"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}}]}}]}}]} as unknown as DocumentNode<ReceiptCheckpointAddedSubscription, ReceiptCheckpointAddedSubscriptionVariables>;
export const ReceiptCheckpointDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReceiptCheckpoint"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receiptCheckpoint"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"size"}},{"kind":"Field","name":{"kind":"Name","value":"root"}},{"kind":"Field","name":{"kind":"Name","value":"note"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]}}]} as unknown as DocumentNode<ReceiptCheckpointQuery, ReceiptCheckpointQueryVariables>;
export const ReceiptConsistencyDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReceiptConsistency"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"from"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"to"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receiptConsistency"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"from"},"value":{"kind":"Variable","name":{"kind":"Name","value":"from"}}},{"kind":"Argument","name":{"kind":"Name","value":"to"},"value":{"kind":"Variable","name":{"kind":"Name","value":"to"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hashes"}}]}}]}}]} as unknown as DocumentNode<ReceiptConsistencyQuery, ReceiptConsistencyQueryVariables>;
export const ReceiptProofDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReceiptProof"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receipt"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"outcome"}},{"kind":"Field","name":{"kind":"Name","value":"actor"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"traceId"}},{"kind":"Field","name":{"kind":"Name","value":"request"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"bodyDeletedAt"}},{"kind":"Field","name":{"kind":"Name","value":"leafIndex"}},{"kind":"Field","name":{"kind":"Name","value":"proof"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"leaf"}},{"kind":"Field","name":{"kind":"Name","value":"salt"}},{"kind":"Field","name":{"kind":"Name","value":"hashes"}},{"kind":"Field","name":{"kind":"Name","value":"checkpoint"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"size"}},{"kind":"Field","name":{"kind":"Name","value":"root"}},{"kind":"Field","name":{"kind":"Name","value":"note"}}]}}]}}]}}]}}]} as unknown as DocumentNode<ReceiptProofQuery, ReceiptProofQueryVariables>;
export const ReceiptWitnessesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReceiptWitnesses"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receiptWitnesses"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"lastSize"}},{"kind":"Field","name":{"kind":"Name","value":"lastAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastError"}},{"kind":"Field","name":{"kind":"Name","value":"conflict"}},{"kind":"Field","name":{"kind":"Name","value":"conflictAt"}}]}}]}}]} as unknown as DocumentNode<ReceiptWitnessesQuery, ReceiptWitnessesQueryVariables>;
export const ReceiptsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Receipts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ReceiptFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receipts"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"operation"}},{"kind":"Field","name":{"kind":"Name","value":"outcome"}},{"kind":"Field","name":{"kind":"Name","value":"actor"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"traceId"}},{"kind":"Field","name":{"kind":"Name","value":"request"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}}]} as unknown as DocumentNode<ReceiptsQuery, ReceiptsQueryVariables>;
export const RedriveDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Redrive"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RedriveInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"redrive"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"letters"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"outcome"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]} as unknown as DocumentNode<RedriveMutation, RedriveMutationVariables>;
export const RegisterWebhookDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RegisterWebhook"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RegisterWebhookInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registerWebhook"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registration"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"target"}},{"kind":"Field","name":{"kind":"Name","value":"externalId"}},{"kind":"Field","name":{"kind":"Name","value":"events"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"renewalFailure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"providerStatus"}},{"kind":"Field","name":{"kind":"Name","value":"at"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"providerStatus"}},{"kind":"Field","name":{"kind":"Name","value":"retryAt"}}]}}]}}]}}]} as unknown as DocumentNode<RegisterWebhookMutation, RegisterWebhookMutationVariables>;
export const ReplaySignalsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ReplaySignals"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ReplayInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"replaySignals"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deliveries"}},{"kind":"Field","name":{"kind":"Name","value":"changes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"signalId"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"deliveryId"}},{"kind":"Field","name":{"kind":"Name","value":"fields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failures"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deliveryId"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]} as unknown as DocumentNode<ReplaySignalsMutation, ReplaySignalsMutationVariables>;
export const ResumeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Resume"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"resume"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"statusReason"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]} as unknown as DocumentNode<ResumeMutation, ResumeMutationVariables>;
export const RotateDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Rotate"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RotateInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"rotate"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"version"}}]}},{"kind":"Field","name":{"kind":"Name","value":"webhook"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"previousSecretUntil"}},{"kind":"Field","name":{"kind":"Name","value":"previousTokenUntil"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"webhook"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"secret"}},{"kind":"Field","name":{"kind":"Name","value":"instructions"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"Field","name":{"kind":"Name","value":"registrationFailures"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registration"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"target"}},{"kind":"Field","name":{"kind":"Name","value":"externalId"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]}}]} as unknown as DocumentNode<RotateMutation, RotateMutationVariables>;
export const SecretAccessesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"SecretAccesses"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}},"defaultValue":{"kind":"IntValue","value":"20"}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"connection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"keyVersion"}}]}},{"kind":"Field","name":{"kind":"Name","value":"secretAccesses"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"secretVersion"}},{"kind":"Field","name":{"kind":"Name","value":"actor"}},{"kind":"Field","name":{"kind":"Name","value":"purpose"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"accessedAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}}]}}]} as unknown as DocumentNode<SecretAccessesQuery, SecretAccessesQueryVariables>;
export const SetCallBudgetDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetCallBudget"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"SetCallBudgetInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setCallBudget"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"scope"}},{"kind":"Field","name":{"kind":"Name","value":"callsPerHour"}},{"kind":"Field","name":{"kind":"Name","value":"callsPerDay"}}]}}]}}]} as unknown as DocumentNode<SetCallBudgetMutation, SetCallBudgetMutationVariables>;
export const SetIncidentSinkDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetIncidentSink"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"url"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"URL"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setIncidentSink"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"url"},"value":{"kind":"Variable","name":{"kind":"Name","value":"url"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sink"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}},{"kind":"Field","name":{"kind":"Name","value":"secret"}}]}}]}}]} as unknown as DocumentNode<SetIncidentSinkMutation, SetIncidentSinkMutationVariables>;
export const SetPollingDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetPolling"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"SetPollingInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setPolling"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"polling"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOn"}},{"kind":"Field","name":{"kind":"Name","value":"minSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"maxSeconds"}}]}}]}}]}}]} as unknown as DocumentNode<SetPollingMutation, SetPollingMutationVariables>;
export const SetReceiptWitnessDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetReceiptWitness"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"url"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"URL"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setReceiptWitness"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"url"},"value":{"kind":"Variable","name":{"kind":"Name","value":"url"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"witness"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}},{"kind":"Field","name":{"kind":"Name","value":"secret"}}]}}]}}]} as unknown as DocumentNode<SetReceiptWitnessMutation, SetReceiptWitnessMutationVariables>;
export const SignalReceivedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"SignalReceived"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"SignalFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"signalReceived"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"sequence"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"revisedAt"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"ingestedAt"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"traceId"}},{"kind":"Field","name":{"kind":"Name","value":"spanId"}},{"kind":"Field","name":{"kind":"Name","value":"resource"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"repository"}},{"kind":"Field","name":{"kind":"Name","value":"branch"}},{"kind":"Field","name":{"kind":"Name","value":"prId"}},{"kind":"Field","name":{"kind":"Name","value":"commit"}}]}},{"kind":"Field","name":{"kind":"Name","value":"payload"}},{"kind":"Field","name":{"kind":"Name","value":"evidence"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}}]}}]}}]} as unknown as DocumentNode<SignalReceivedSubscription, SignalReceivedSubscriptionVariables>;
export const SignalDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Signal"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"signal"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"ingestedAt"}},{"kind":"Field","name":{"kind":"Name","value":"sequence"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"payload"}},{"kind":"Field","name":{"kind":"Name","value":"resource"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"repository"}},{"kind":"Field","name":{"kind":"Name","value":"branch"}},{"kind":"Field","name":{"kind":"Name","value":"prId"}},{"kind":"Field","name":{"kind":"Name","value":"commit"}}]}},{"kind":"Field","name":{"kind":"Name","value":"evidence"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}}]} as unknown as DocumentNode<SignalQuery, SignalQueryVariables>;
export const SignalsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Signals"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"SignalFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"signals"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"SignalFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"SignalFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Signal"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"sequence"}},{"kind":"Field","name":{"kind":"Name","value":"revision"}},{"kind":"Field","name":{"kind":"Name","value":"revisedAt"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"kind"}},{"kind":"Field","name":{"kind":"Name","value":"environment"}},{"kind":"Field","name":{"kind":"Name","value":"occurredAt"}},{"kind":"Field","name":{"kind":"Name","value":"ingestedAt"}},{"kind":"Field","name":{"kind":"Name","value":"correlationId"}},{"kind":"Field","name":{"kind":"Name","value":"resource"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"repository"}},{"kind":"Field","name":{"kind":"Name","value":"branch"}},{"kind":"Field","name":{"kind":"Name","value":"prId"}},{"kind":"Field","name":{"kind":"Name","value":"commit"}}]}},{"kind":"Field","name":{"kind":"Name","value":"payload"}},{"kind":"Field","name":{"kind":"Name","value":"evidence"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"title"}}]}},{"kind":"Field","name":{"kind":"Name","value":"connection"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<SignalsQuery, SignalsQueryVariables>;
export const SuspendDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Suspend"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"reason"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"suspend"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}},{"kind":"Argument","name":{"kind":"Name","value":"reason"},"value":{"kind":"Variable","name":{"kind":"Name","value":"reason"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"statusReason"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}}]}}]}}]} as unknown as DocumentNode<SuspendMutation, SuspendMutationVariables>;
export const TryMappingDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TryMapping"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"TryMappingInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tryMapping"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"eventId"}},{"kind":"Field","name":{"kind":"Name","value":"eventType"}},{"kind":"Field","name":{"kind":"Name","value":"signals"}},{"kind":"Field","name":{"kind":"Name","value":"problems"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"path"}},{"kind":"Field","name":{"kind":"Name","value":"problem"}},{"kind":"Field","name":{"kind":"Name","value":"line"}},{"kind":"Field","name":{"kind":"Name","value":"column"}}]}}]}}]}}]} as unknown as DocumentNode<TryMappingQuery, TryMappingQueryVariables>;
export const UnregisterWebhookDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UnregisterWebhook"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"registrationId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"unregisterWebhook"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}},{"kind":"Argument","name":{"kind":"Name","value":"registrationId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"registrationId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"failures"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registration"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"externalId"}}]}},{"kind":"Field","name":{"kind":"Name","value":"failure"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"}},{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]}}]}}]}}]} as unknown as DocumentNode<UnregisterWebhookMutation, UnregisterWebhookMutationVariables>;
export const UpdateConnectionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UpdateConnection"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateConnectionInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateConnection"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"tags"}},{"kind":"Field","name":{"kind":"Name","value":"settings"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]}}]} as unknown as DocumentNode<UpdateConnectionMutation, UpdateConnectionMutationVariables>;
export const VerifyDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"Verify"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"verify"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"statusReason"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"since"}}]}},{"kind":"Field","name":{"kind":"Name","value":"account"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}},{"kind":"Field","name":{"kind":"Name","value":"credential"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"scopes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"verifiedAt"}}]}}]}}]} as unknown as DocumentNode<VerifyMutation, VerifyMutationVariables>;
export const WebhookAppsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"WebhookApps"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"webhookApps"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"handshake"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}}]}}]}}]} as unknown as DocumentNode<WebhookAppsQuery, WebhookAppsQueryVariables>;
export const RegisterWebhookAppDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RegisterWebhookApp"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RegisterWebhookAppInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"registerWebhookApp"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"app"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"provider"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"handshake"}}]}},{"kind":"Field","name":{"kind":"Name","value":"url"}}]}}]}}]} as unknown as DocumentNode<RegisterWebhookAppMutation, RegisterWebhookAppMutationVariables>;
export const RemoveWebhookAppDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RemoveWebhookApp"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"providerId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"removeWebhookApp"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"providerId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"providerId"}}}]}]}}]} as unknown as DocumentNode<RemoveWebhookAppMutation, RemoveWebhookAppMutationVariables>;
export const ShowWebhookAppSecretDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ShowWebhookAppSecret"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"providerId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"showWebhookAppSecret"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"providerId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"providerId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"secret"}}]}}]}}]} as unknown as DocumentNode<ShowWebhookAppSecretMutation, ShowWebhookAppSecretMutationVariables>;
export const ShowWebhookSecretDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ShowWebhookSecret"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"showWebhookSecret"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"connectionId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"connectionId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"secret"}}]}}]}}]} as unknown as DocumentNode<ShowWebhookSecretMutation, ShowWebhookSecretMutationVariables>;
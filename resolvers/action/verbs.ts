import { Directive, Field, InputType } from 'type-graphql';
import type { Verb } from '../../src/connector/index.js';
import { PostMessageInput, ReactionInput, ReplyInput } from './verbs/chat.js';
import {
  CommitStatusInput,
  MergePullRequestInput,
  PullRequestCommentInput,
  TriggerBuildInput,
} from './verbs/code.js';
import { CreateIncidentInput, ResolveIncidentInput } from './verbs/incident.js';
import { AddIssueCommentInput, CreateIssueInput, UpdateIssueInput } from './verbs/issue.js';
import { CompleteChatInput, CustomActionInput, EmbeddingInput } from './verbs/model.js';
import { AppendBlocksInput, CreatePageInput, UpdatePageInput } from './verbs/page.js';
import { optional } from './verbs/shared.js';

@Directive('@oneOf')
@InputType({
  description:
    'What to do: exactly one canonical verb. A provider offers some of them: see `IntegrationProvider.actions`.',
})
export class ActionInput implements Record<Verb, object | null | undefined> {
  @Field(() => CreateIssueInput, { ...optional, description: 'Creates an issue.' })
  createIssue!: CreateIssueInput | null | undefined;

  @Field(() => UpdateIssueInput, { ...optional, description: 'Changes an issue.' })
  updateIssue!: UpdateIssueInput | null | undefined;

  @Field(() => AddIssueCommentInput, { ...optional, description: 'Comments on an issue.' })
  addIssueComment!: AddIssueCommentInput | null | undefined;

  @Field(() => PullRequestCommentInput, { ...optional, description: 'Comments on a pull request.' })
  commentOnPullRequest!: PullRequestCommentInput | null | undefined;

  @Field(() => MergePullRequestInput, { ...optional, description: 'Merges a pull request.' })
  mergePullRequest!: MergePullRequestInput | null | undefined;

  @Field(() => CommitStatusInput, { ...optional, description: 'Sets the status of a commit.' })
  setCommitStatus!: CommitStatusInput | null | undefined;

  @Field(() => TriggerBuildInput, { ...optional, description: 'Starts a build.' })
  triggerBuild!: TriggerBuildInput | null | undefined;

  @Field(() => ReactionInput, { ...optional, description: 'Reacts to a message or an issue.' })
  addReaction!: ReactionInput | null | undefined;

  @Field(() => PostMessageInput, { ...optional, description: 'Posts a message in a channel.' })
  postMessage!: PostMessageInput | null | undefined;

  @Field(() => ReplyInput, { ...optional, description: 'Replies in a thread.' })
  replyInThread!: ReplyInput | null | undefined;

  @Field(() => CreatePageInput, { ...optional, description: 'Creates a page.' })
  createPage!: CreatePageInput | null | undefined;

  @Field(() => UpdatePageInput, { ...optional, description: 'Changes a page.' })
  updatePage!: UpdatePageInput | null | undefined;

  @Field(() => AppendBlocksInput, { ...optional, description: 'Adds text at the end of a page.' })
  appendBlocks!: AppendBlocksInput | null | undefined;

  @Field(() => CreateIncidentInput, { ...optional, description: 'Opens an incident.' })
  createIncident!: CreateIncidentInput | null | undefined;

  @Field(() => ResolveIncidentInput, { ...optional, description: 'Resolves an incident.' })
  resolveIncident!: ResolveIncidentInput | null | undefined;

  @Field(() => CompleteChatInput, { ...optional, description: 'Lets a model go on with a chat.' })
  completeChat!: CompleteChatInput | null | undefined;

  @Field(() => EmbeddingInput, { ...optional, description: 'Lets a model turn texts into vectors.' })
  createEmbedding!: EmbeddingInput | null | undefined;

  @Field(() => CustomActionInput, {
    ...optional,
    description: 'Does what the connection’s settings declare.',
  })
  custom!: CustomActionInput | null | undefined;
}

import { Directive, Field, InputType, Int } from 'type-graphql';
import type { Verb, VerbInput } from '../../src/connector/index.js';
import { toEnum } from '../enum.js';
import { URLScalar } from '../scalars.js';

type Input<V extends Verb, F extends keyof VerbInput<V>> = NonNullable<VerbInput<V>[F]>;
type Method = Input<'mergePullRequest', 'method'>;
type State = Input<'setCommitStatus', 'state'>;

const MARKDOWN = 'Markdown; turned into what the provider speaks.';
const REPOSITORY = 'The repository: `owner/name`.';
const NUMBER = 'The pull request’s number.';
const optional = { nullable: true } as const;

export const MergeMethod = toEnum<Method>(
  'MergeMethod',
  'How a pull request’s commits reach its base branch.',
  {
    MERGE: 'All of them, with a merge commit.',
    SQUASH: 'As one commit.',
    REBASE: 'One by one on top of the base.',
  },
);

export const CommitState = toEnum<State>('CommitState', 'What a check says about a commit.', {
  PENDING: 'Not finished.',
  SUCCESS: 'Passed.',
  FAILURE: 'Did not pass.',
  ERROR: 'Could not be carried out.',
});

@InputType({ description: 'An issue to create.' })
export class CreateIssueInput {
  @Field(() => String, { description: 'Where it goes: `owner/name`, `PROJ`, a team key.' })
  project!: string;

  @Field(() => String, { description: 'One line, at most 255 characters.' })
  title!: string;

  @Field(() => String, { ...optional, description: MARKDOWN })
  body?: string | null;

  @Field(() => [String], { ...optional, description: 'Labels by name.' })
  labels?: string[] | null;

  @Field(() => [String], { ...optional, description: 'Who shall do it, by the provider’s login or id.' })
  assignees?: string[] | null;

  @Field(() => String, { ...optional, description: 'The provider’s name of a type, such as `Bug`.' })
  issueType?: string | null;
}

@InputType({ description: 'A comment on an issue.' })
export class AddIssueCommentInput {
  @Field(() => String, {
    ...optional,
    description: 'Needed where the issue’s key does not name it: `owner/name`.',
  })
  project?: string | null;

  @Field(() => String, { description: 'The key that people see: `7`, `PROJ-12`.' })
  issue!: string;

  @Field(() => String, { description: MARKDOWN })
  body!: string;
}

@InputType({ description: 'A comment on a pull request.' })
export class PullRequestCommentInput {
  @Field(() => String, { description: REPOSITORY })
  repository!: string;

  @Field(() => Int, { description: NUMBER })
  number!: number;

  @Field(() => String, { description: MARKDOWN })
  body!: string;
}

@InputType({ description: 'A pull request to merge.' })
export class MergePullRequestInput {
  @Field(() => String, { description: REPOSITORY })
  repository!: string;

  @Field(() => Int, { description: NUMBER })
  number!: number;

  @Field(() => MergeMethod, { ...optional, description: 'Left out: the provider’s default.' })
  method?: Method | null;

  @Field(() => String, { ...optional, description: 'Title of the merge or squash commit.' })
  title?: string | null;

  @Field(() => String, {
    ...optional,
    description: 'Full hash; when the head has moved on, nothing is merged.',
  })
  expectedHeadSha?: string | null;
}

@InputType({ description: 'The status of a commit, as one check sees it.' })
export class CommitStatusInput {
  @Field(() => String, { description: REPOSITORY })
  repository!: string;

  @Field(() => String, { description: 'Full hash of the commit.' })
  sha!: string;

  @Field(() => String, {
    description: 'Name of the check; a later status of the same name replaces this one.',
  })
  context!: string;

  @Field(() => CommitState, { description: 'What the check says.' })
  state!: State;

  @Field(() => String, { ...optional, description: 'One line, at most 140 characters.' })
  description?: string | null;

  @Field(() => URLScalar, { ...optional, description: 'Where the details are.' })
  targetUrl?: string | null;
}

@Directive('@oneOf')
@InputType({
  description:
    'What to do: exactly one canonical verb. A provider offers some of them: see `IntegrationProvider.actions`.',
})
export class ActionInput implements Record<Verb, object | null | undefined> {
  @Field(() => CreateIssueInput, { ...optional, description: 'Creates an issue.' })
  createIssue!: CreateIssueInput | null | undefined;

  @Field(() => AddIssueCommentInput, { ...optional, description: 'Comments on an issue.' })
  addIssueComment!: AddIssueCommentInput | null | undefined;

  @Field(() => PullRequestCommentInput, { ...optional, description: 'Comments on a pull request.' })
  commentOnPullRequest!: PullRequestCommentInput | null | undefined;

  @Field(() => MergePullRequestInput, { ...optional, description: 'Merges a pull request.' })
  mergePullRequest!: MergePullRequestInput | null | undefined;

  @Field(() => CommitStatusInput, { ...optional, description: 'Sets the status of a commit.' })
  setCommitStatus!: CommitStatusInput | null | undefined;
}

import { Field, InputType, Int } from 'type-graphql';
import type { VerbInput } from '../../../src/connector/index.js';
import { toEnum } from '../../enum.js';
import { JSONObject, URLScalar } from '../../scalars.js';
import { MARKDOWN, REPOSITORY, optional } from './shared.js';

type Method = NonNullable<VerbInput<'mergePullRequest'>['method']>;
type State = VerbInput<'setCommitStatus'>['state'];

const NUMBER = 'The pull request’s number.';

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

@InputType({ description: 'A build to start.' })
export class TriggerBuildInput {
  @Field(() => String, { description: REPOSITORY })
  repository!: string;

  @Field(() => String, { description: 'The branch or tag to build.' })
  ref!: string;

  @Field(() => String, {
    ...optional,
    description: 'Which build, where a repository has several: `ci.yml`. Some providers need it.',
  })
  workflow?: string | null;

  @Field(() => JSONObject, {
    ...optional,
    description: 'What the build takes, by name; every value is text. At most 25.',
  })
  parameters?: Record<string, string> | null;
}

import { Field, InputType } from 'type-graphql';
import { ISSUE, ISSUE_PROJECT, MARKDOWN, optional } from './shared.js';

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

@InputType({ description: 'What to change of an issue. What is left out stays as it is.' })
export class UpdateIssueInput {
  @Field(() => String, { ...optional, description: ISSUE_PROJECT })
  project?: string | null;

  @Field(() => String, { description: ISSUE })
  issue!: string;

  @Field(() => String, { ...optional, description: 'One line, at most 255 characters.' })
  title?: string | null;

  @Field(() => String, { ...optional, description: MARKDOWN })
  body?: string | null;

  @Field(() => String, {
    ...optional,
    description: 'The name of the status it shall have, as people see it: `closed`, `In Progress`.',
  })
  status?: string | null;

  @Field(() => [String], {
    ...optional,
    description: 'All labels it shall have, by name; what is not named is taken off.',
  })
  labels?: string[] | null;

  @Field(() => [String], {
    ...optional,
    description: 'All who shall do it, by the provider’s login or id; who is not named is taken off.',
  })
  assignees?: string[] | null;
}

@InputType({ description: 'A comment on an issue.' })
export class AddIssueCommentInput {
  @Field(() => String, { ...optional, description: ISSUE_PROJECT })
  project?: string | null;

  @Field(() => String, { description: ISSUE })
  issue!: string;

  @Field(() => String, { description: MARKDOWN })
  body!: string;
}

import { Field, InputType } from 'type-graphql';
import { ISSUE, ISSUE_PROJECT, MARKDOWN, optional } from './shared.js';

const CHANNEL = 'The channel’s id at the provider.';

@InputType({ description: 'A message to post.' })
export class PostMessageInput {
  @Field(() => String, { description: CHANNEL })
  channel!: string;

  @Field(() => String, { description: MARKDOWN })
  text!: string;
}

@InputType({ description: 'A reply in a thread.' })
export class ReplyInput {
  @Field(() => String, { description: CHANNEL })
  channel!: string;

  @Field(() => String, { description: 'The id of the message that began the thread.' })
  thread!: string;

  @Field(() => String, { description: MARKDOWN })
  text!: string;
}

@InputType({
  description: 'A reaction to a message (give `channel` and `message`) or to an issue (give `issue`).',
})
export class ReactionInput {
  @Field(() => String, { ...optional, description: CHANNEL })
  channel?: string | null;

  @Field(() => String, { ...optional, description: 'The message’s id in its channel.' })
  message?: string | null;

  @Field(() => String, { ...optional, description: ISSUE_PROJECT })
  project?: string | null;

  @Field(() => String, { ...optional, description: ISSUE })
  issue?: string | null;

  @Field(() => String, { description: 'The provider’s name of it, without colons: `rocket`, `+1`.' })
  name!: string;
}

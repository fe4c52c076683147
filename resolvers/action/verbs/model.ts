import { Field, Float, InputType, Int } from 'type-graphql';
import type { VerbInput } from '../../../src/connector/index.js';
import { toEnum } from '../../enum.js';
import { JSONObject } from '../../scalars.js';
import { optional } from './shared.js';

type Role = VerbInput<'completeChat'>['messages'][number]['role'];

const MODEL = 'The model’s name at the provider.';

export const ChatRole = toEnum<Role>('ChatRole', 'Who says something in a chat with a model.', {
  SYSTEM: 'Whoever sets the model up.',
  USER: 'The person.',
  ASSISTANT: 'The model itself, earlier in the chat.',
});

@InputType({ description: 'One turn of a chat with a model.' })
export class ChatMessageInput {
  @Field(() => ChatRole, { description: 'Who says it.' })
  role!: Role;

  @Field(() => String, { description: 'What is said.' })
  content!: string;
}

@InputType({ description: 'A chat for a model to go on with.' })
export class CompleteChatInput {
  @Field(() => String, { description: MODEL })
  model!: string;

  @Field(() => [ChatMessageInput], { description: 'The chat so far, oldest first.' })
  messages!: ChatMessageInput[];

  @Field(() => Int, { description: 'The most the answer may be long, in tokens.' })
  maxOutputTokens!: number;

  @Field(() => Float, {
    ...optional,
    description: '0 to 2; some providers and models take less. Left out: the provider’s default.',
  })
  temperature?: number | null;
}

@InputType({ description: 'Texts to turn into vectors.' })
export class EmbeddingInput {
  @Field(() => String, { description: MODEL })
  model!: string;

  @Field(() => [String], { description: 'One vector is made of each. At most 1000.' })
  texts!: string[];

  @Field(() => Int, {
    ...optional,
    description: 'How long the vectors shall be, where the model lets one choose.',
  })
  dimensions?: number | null;
}

@InputType({ description: 'An action that the connection’s settings declare.' })
export class CustomActionInput {
  @Field(() => String, { description: 'The name it is declared under.' })
  name!: string;

  @Field(() => JSONObject, { ...optional, description: 'What it takes, as declared.' })
  parameters?: Record<string, unknown> | null;
}

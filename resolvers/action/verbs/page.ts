import { Field, InputType } from 'type-graphql';
import { MARKDOWN, optional } from './shared.js';

const PAGE = 'The page’s id at the provider.';
const TITLE = 'One line, at most 255 characters.';

@InputType({ description: 'A page to create.' })
export class CreatePageInput {
  @Field(() => String, { description: 'The id of the page or space it goes under.' })
  parent!: string;

  @Field(() => String, { description: TITLE })
  title!: string;

  @Field(() => String, { ...optional, description: MARKDOWN })
  body?: string | null;
}

@InputType({ description: 'What to change of a page. What is left out stays as it is.' })
export class UpdatePageInput {
  @Field(() => String, { description: PAGE })
  page!: string;

  @Field(() => String, { ...optional, description: TITLE })
  title?: string | null;

  @Field(() => String, { ...optional, description: MARKDOWN })
  body?: string | null;

  @Field(() => String, {
    ...optional,
    description: 'The version it was read at; when the page has another one, nothing is changed.',
  })
  expectedVersion?: string | null;
}

@InputType({ description: 'Text to add at the end of a page.' })
export class AppendBlocksInput {
  @Field(() => String, { description: PAGE })
  page!: string;

  @Field(() => String, { description: MARKDOWN })
  body!: string;
}

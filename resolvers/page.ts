import { ArgsType, type ClassType, Directive, Field, Int, ObjectType } from 'type-graphql';
import { MAX_PAGE, type Page, type PageRequest } from '../src/core/page.js';
import { Cursor } from './scalars.js';

const DEFAULT_PAGE = 20;
const AFTER = 'Only what follows this: the `endCursor` of the page before it.';
const BEFORE = 'Only what precedes this: the `startCursor` of the page after it.';

/** Shareable: every subgraph may have one of these fields. */
@Directive('@shareable')
@ObjectType({
  description:
    'Where a page begins and ends, and whether there is more: that alone tells, as a page may hold fewer nodes than were asked for, even none, where a filter lets few through.',
})
export class PageInfo {
  @Field(() => Cursor, { nullable: true, description: 'Where `after` goes on; null where nothing is.' })
  endCursor!: string | null;

  @Field(() => Boolean, { description: 'Whether more nodes follow this page.' })
  hasNextPage!: boolean;

  @Field(() => Cursor, { nullable: true, description: 'Where `before` goes on; null where nothing is.' })
  startCursor!: string | null;

  @Field(() => Boolean, { description: 'Whether nodes precede this page.' })
  hasPreviousPage!: boolean;
}

/** What every list takes. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: DEFAULT_PAGE,
    description: `How many nodes at most: 1 to ${MAX_PAGE}.`,
  })
  first!: number | null;

  @Field(() => Cursor, { nullable: true, description: AFTER })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description: `How many nodes at most from the end, 1 to ${MAX_PAGE}, in the list’s order; \`first\` does not count then.`,
  })
  last?: number | null;

  @Field(() => Cursor, { nullable: true, description: BEFORE })
  before?: string | null;
}

/** The arguments as the services take them. */
export function toPageRequest({ first, last, after, before }: PageArgs): PageRequest {
  return {
    first: first ?? DEFAULT_PAGE,
    last: last ?? undefined,
    after: after ?? undefined,
    before: before ?? undefined,
  };
}

/** Makes the page type of a list. The node's type is a thunk, as types refer to one another in circles. */
export function toPageType<T extends object>(name: string, nouns: string, node: () => ClassType<T>) {
  @ObjectType(name, { description: `A page of ${nouns}.` })
  class PageType {
    @Field(() => [node()], { description: `The ${nouns} of this page, in the list’s order.` })
    nodes!: Page<T>['nodes'];

    @Field(() => PageInfo, { description: 'Where this page begins and ends.' })
    pageInfo!: PageInfo;
  }
  return PageType;
}

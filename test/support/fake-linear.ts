import { GraphQLError, graphqlSync } from 'graphql';
import type { Clock } from '../../src/core/clock.js';
import {
  type Comment,
  type Issue,
  type State,
  type Verdant,
  ada,
  commentUrlOf,
  createVerdant,
  identifierOf,
  labels,
  organization,
  states,
  team,
  urlOf,
} from './fake-linear-data.js';
import { linearSchema } from './fake-linear-schema.js';
import { type FakeAnswer, type FakeProvider, type FakeRequest, startFakeProvider } from './fake-provider.js';

export interface FakeLinear {
  readonly provider: FakeProvider;
  /** The only personal key it accepts. */
  readonly apiKey: string;
  /** What is in it, and what people do there. */
  readonly verdant: Verdant;
}

interface Comparator {
  readonly eq?: string;
  readonly eqIgnoreCase?: string;
  readonly in?: readonly string[];
}

interface Listing {
  readonly first?: number;
  readonly after?: string;
  readonly filter?: {
    readonly createdAt?: { readonly gte?: string };
    readonly team?: { readonly key?: Comparator };
    readonly issue?: { readonly team?: { readonly key?: Comparator } };
  };
}

interface PersonFilter {
  readonly or?: readonly PersonFilter[];
  readonly email?: Comparator;
  readonly displayName?: Comparator;
}

interface IssueInput {
  readonly id?: string;
  readonly teamId?: string;
  readonly title?: string;
  readonly description?: string;
  readonly stateId?: string;
  readonly labelIds?: readonly string[];
  readonly assigneeId?: string | null;
}

/** Linear's GraphQL API on a real socket, with the one team of {@link createVerdant}: every document is executed. */
export async function startFakeLinear(clock: Clock): Promise<FakeLinear> {
  const provider = await startFakeProvider();
  const apiKey = ['lin', 'api', 'of_the_fake_and_of_nobody_else'].join('_');
  const verdant = createVerdant(clock);
  const { issues, comments } = verdant;

  const findIssue = (wanted: string): Issue => {
    const found = issues.find((issue) => issue.id === wanted || identifierOf(issue) === wanted);
    if (!found) throw missing('Issue');
    return found;
  };

  function createIssue({ input }: { input: IssueInput }): object {
    const { id, teamId, title, description = null } = input;
    if (issues.some((issue) => issue.id === id)) throw refusal('Entity with this id already exists');
    if (teamId !== team.id) throw missing('Team');
    if (!title) throw refusal('title should not be empty');
    provider.addEffect('issue');
    const issue = verdant.addIssue({ ...(id && { id }), title, description, ...namedBy(input) });
    return { success: true, issue: toIssue(issue) };
  }

  /** What is not given stays. What is as it was is no effect. */
  function updateIssue({ id, input }: { id: string; input: IssueInput }): object {
    const issue = findIssue(id);
    const before = JSON.stringify(issue);
    const { title, description, stateId } = input;
    Object.assign(issue, {
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      ...(stateId !== undefined && { state: states.find((state) => state.id === stateId) ?? issue.state }),
      ...namedBy(input),
    });
    if (JSON.stringify(issue) !== before) {
      provider.addEffect('change');
      issue.updatedAt = clock.now();
    }
    return { success: true, issue: toIssue(issue) };
  }

  function createComment({ input }: { input: { id?: string; issueId?: string; body?: string } }): object {
    const { id, issueId = '', body } = input;
    if (comments.some((comment) => comment.id === id)) throw refusal('Entity with this id already exists');
    if (!body) throw refusal('body should not be empty');
    const issue = findIssue(issueId);
    provider.addEffect('comment');
    return { success: true, comment: toComment(verdant.addComment(issue, body, id)) };
  }

  const root = {
    viewer: ada,
    organization,
    teams: ({ filter }: { filter: { key: Comparator } }) => ({
      nodes: fits(team.key, filter.key) ? [toTeam()] : [],
    }),
    users: ({ filter }: { filter: PersonFilter }) => ({ nodes: isMeant(filter) ? [ada] : [] }),
    issueLabels: ({ filter }: { filter: { name: Comparator } }) => ({
      nodes: labels.filter(({ name }) => fits(name, filter.name)),
    }),
    issue: ({ id }: { id: string }) => toIssue(findIssue(id)),
    comment: ({ id }: { id: string }) => {
      const found = comments.find((comment) => comment.id === id);
      if (!found) throw missing('Comment');
      return toComment(found);
    },
    issues: (listing: Listing) => pageOf(issues, listing, listing.filter?.team?.key, toIssue),
    comments: (listing: Listing) => pageOf(comments, listing, listing.filter?.issue?.team?.key, toComment),
    issueCreate: createIssue,
    issueUpdate: updateIssue,
    commentCreate: createComment,
  };

  provider.on('POST /graphql', ({ headers, body }: FakeRequest): FakeAnswer => {
    if (headers['authorization'] !== apiKey) return linearError(401);
    const { query = '', variables = {} } = (body ?? {}) as { query?: string; variables?: object };
    const result = graphqlSync({
      schema: linearSchema,
      source: query,
      rootValue: root,
      variableValues: variables as Record<string, unknown>,
    });
    // A document that the schema does not know is answered 400, as a client's mistake.
    const status = result.data === undefined ? 400 : 200;
    return { status, headers: rateLimit(clock, provider.requests.length), body: result };
  });

  return { provider, apiKey, verdant };
}

function namedBy({ labelIds, assigneeId }: IssueInput): Partial<Issue> {
  return {
    ...(labelIds && { labels: labels.filter(({ id }) => labelIds.includes(id)) }),
    ...(assigneeId !== undefined && { assignee: assigneeId === ada.id ? ada : null }),
  };
}

/** Newest first, as its interface shows them; the cursor is the id of the last one. */
function pageOf<T extends Issue | Comment>(
  all: readonly T[],
  { first = 50, after, filter }: Listing,
  key: Comparator | undefined,
  toNode: (entry: T) => object,
): object {
  const since = filter?.createdAt?.gte ?? '';
  const found = all
    .filter(({ createdAt }) => fits(team.key, key) && createdAt.toISOString() >= since)
    .toReversed();
  const start = after ? found.findIndex(({ id }) => id === after) + 1 : 0;
  const nodes = found.slice(start, start + first);
  const hasNextPage = start + first < found.length;
  return { nodes: nodes.map(toNode), pageInfo: { hasNextPage, endCursor: nodes.at(-1)?.id ?? null } };
}

function fits(value: string, { eq, eqIgnoreCase, in: list }: Comparator = {}): boolean {
  if (eq !== undefined && value !== eq) return false;
  if (eqIgnoreCase !== undefined && value.toLowerCase() !== eqIgnoreCase.toLowerCase()) return false;
  return list === undefined || list.includes(value);
}

function isMeant({ or, email, displayName }: PersonFilter): boolean {
  if (or) return or.some(isMeant);
  return email ? fits(ada.email, email) : fits(ada.displayName, displayName);
}

function toTeam() {
  return {
    ...team,
    states: ({ filter }: { filter?: { name?: Comparator } }) => ({
      nodes: states.filter(({ name }: State) => fits(name, filter?.name)),
    }),
  };
}

function toIssue(issue: Issue): object {
  return {
    ...issue,
    identifier: identifierOf(issue),
    url: urlOf(issue),
    priority: 0,
    createdAt: issue.createdAt.toISOString(),
    updatedAt: issue.updatedAt.toISOString(),
    team: toTeam(),
    creator: ada,
    labels: { nodes: issue.labels },
  };
}

function toComment(comment: Comment): object {
  return {
    ...comment,
    url: commentUrlOf(comment),
    createdAt: comment.createdAt.toISOString(),
    updatedAt: comment.createdAt.toISOString(),
    issueId: comment.issue.id,
    user: ada,
    issue: toIssue(comment.issue),
  };
}

const missing = (entity: string): GraphQLError => refusal(`Entity not found: ${entity}`);

function refusal(message: string): GraphQLError {
  const extensions = { type: 'invalid input', code: 'INPUT_ERROR', userPresentableMessage: `${message}.` };
  return new GraphQLError(message, { extensions });
}

const ERRORS: Readonly<Record<number, readonly [type: string, code: string, message: string]>> = {
  401: ['authentication error', 'AUTHENTICATION_ERROR', 'Authentication required, not authenticated'],
  403: ['forbidden', 'FORBIDDEN', 'Forbidden'],
  404: ['invalid input', 'INPUT_ERROR', 'Entity not found: Issue'],
  409: ['invalid input', 'INPUT_ERROR', 'Conflict'],
  422: ['invalid input', 'INPUT_ERROR', 'Argument Validation Error'],
};

/** An error as Linear words it. */
export function linearError(status: number): FakeAnswer {
  const [type, code, message] = ERRORS[status] ?? [
    'internal error',
    'INTERNAL_SERVER_ERROR',
    'Internal error',
  ];
  return { status, body: { errors: [{ message, extensions: { type, code } }], data: null } };
}

/** https://linear.app/developers/rate-limiting: resets are in milliseconds. */
export function rateLimit(clock: Clock, used: number): Record<string, string> {
  const reset = String(clock.now().getTime() + 3_600_000);
  return {
    'x-ratelimit-requests-limit': '2500',
    'x-ratelimit-requests-remaining': String(2500 - used),
    'x-ratelimit-requests-reset': reset,
    'x-complexity': '10',
    'x-ratelimit-complexity-limit': '3000000',
    'x-ratelimit-complexity-remaining': String(3_000_000 - used * 10),
    'x-ratelimit-complexity-reset': reset,
  };
}

import { type ProviderContext, at, invalid, listAt } from '../../../src/connector/index.js';

/**
 * GitLab takes people by number only. A number is taken as one, anything else looked up as a username.
 * https://docs.gitlab.com/api/users/#list-users
 */
export async function idsOf(
  context: ProviderContext,
  people: readonly string[] | undefined,
): Promise<readonly number[] | undefined> {
  if (!people) return undefined;
  const ids: number[] = [];
  for (const person of people)
    ids.push(/^\d{1,15}$/.test(person) ? Number(person) : await findId(context, person));
  return ids;
}

async function findId({ request }: ProviderContext, username: string): Promise<number> {
  const { body } = await request({ method: 'GET', path: '/users', query: { username } });
  const found = listAt({ body }, 'body').map((user) => at(user, 'id'));
  const [id] = found;
  if (found.length === 1 && Number.isInteger(id)) return id as number;
  throw invalid('unknown_user', `GitLab knows nobody by the username ${JSON.stringify(username)}.`);
}

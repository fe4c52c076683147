import { invalid } from '../../../src/connector/index.js';

/** A repository as GitHub's paths want it. */
export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

const REPOSITORY = /^([A-Za-z0-9_.-]+)\/([A-Za-z0-9_.-]+)$/;
const ISSUE = /^(?:([^#]*)#)?([1-9]\d{0,9})$/;

/** Reads `owner/name`. Anything else is refused before a request is made: nothing may point a path elsewhere. */
export function requireRepository(name: string | undefined): Repository {
  const [, owner = '', repo = ''] = REPOSITORY.exec(name ?? '') ?? [];
  if (!owner || !repo || isDots(owner) || isDots(repo)) {
    throw invalid(
      'invalid_repository',
      `A GitHub repository is named "owner/name", not ${JSON.stringify(name ?? '')}.`,
    );
  }
  return { owner, repo };
}

/** Reads an issue's key: `7` or `#7` in a project, or `acme/shop#7`, which names its repository itself. */
export function requireIssue(
  issue: string,
  project: string | undefined,
): Repository & { readonly number: number } {
  const [, named, number] = ISSUE.exec(issue) ?? [];
  if (!number)
    throw invalid(
      'invalid_issue',
      `A GitHub issue is named "7" or "owner/name#7", not ${JSON.stringify(issue)}.`,
    );
  return { ...requireRepository(named || project), number: Number(number) };
}

const isDots = (name: string) => /^\.+$/.test(name);

import { invalid } from '../../../src/connector/index.js';

const PROJECT = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)+$/;
const ISSUE = /^(?:([^#]*)#)?([1-9]\d{0,9})$/;

/** Reads `group/project`, of any depth. Anything else is refused before a request is made. */
export function requireProject(name: string | undefined): { readonly id: string } {
  if (!name || !PROJECT.test(name)) {
    throw invalid(
      'invalid_repository',
      `A GitLab project is named "group/project", not ${JSON.stringify(name ?? '')}.`,
    );
  }
  return { id: name };
}

/** Reads an issue's key: `7` or `#7` in a project, or `acme/shop#7`, which names its project itself. */
export function requireIssue(
  issue: string,
  project: string | undefined,
): { readonly id: string; readonly iid: number } {
  const [, named, number] = ISSUE.exec(issue) ?? [];
  if (!number) {
    throw invalid(
      'invalid_issue',
      `A GitLab issue is named "7" or "group/project#7", not ${JSON.stringify(issue)}.`,
    );
  }
  return { ...requireProject(named || project), iid: Number(number) };
}

import { invalid } from '../../../src/connector/index.js';

const KEY = /^[A-Za-z][A-Za-z0-9_]{0,19}-[1-9]\d{0,9}$/;
const NUMBER = /^#?([1-9]\d{0,9})$/;

/** Reads `ENG-12`, or `12` in the team `ENG`. */
export function requireIssue(issue: string, project: string | undefined): string {
  const number = NUMBER.exec(issue)?.[1];
  const key = (number && project ? `${project}-${number}` : issue).toUpperCase();
  if (KEY.test(key)) return key;
  throw invalid(
    'invalid_issue',
    `A Linear issue is named "ENG-12", or "12" with its team as project, not ${JSON.stringify(issue)}.`,
  );
}

/** The key of the issue's team. */
export function teamOf(issue: string): string {
  return issue.slice(0, issue.lastIndexOf('-'));
}

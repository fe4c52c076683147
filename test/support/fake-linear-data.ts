import { randomUUID } from 'node:crypto';
import type { Clock } from '../../src/core/clock.js';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly displayName: string;
  readonly app: boolean;
  readonly admin: boolean;
}

export interface State {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

export interface Label {
  readonly id: string;
  readonly name: string;
}

export interface Issue {
  readonly id: string;
  readonly number: number;
  title: string;
  description: string | null;
  state: State;
  labels: readonly Label[];
  assignee: Person | null;
  readonly createdAt: Date;
  updatedAt: Date;
}

export interface Comment {
  readonly id: string;
  readonly issue: Issue;
  readonly body: string;
  readonly createdAt: Date;
}

const id = (number: number): string => `0f0e0d0c-0000-4000-8000-${String(number).padStart(12, '0')}`;

export const organization = { id: id(1), name: 'Verdant', urlKey: 'verdant' };
export const ada: Person = {
  id: id(2),
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  displayName: 'ada',
  app: false,
  admin: false,
};
export const team = { id: id(3), key: 'ENG', name: 'Engineering' };
export const states: readonly State[] = [
  { id: id(4), name: 'Todo', type: 'unstarted' },
  { id: id(5), name: 'In Progress', type: 'started' },
  { id: id(6), name: 'Done', type: 'completed' },
];
export const labels: readonly Label[] = [
  { id: id(7), name: 'Bug' },
  { id: id(8), name: 'Water' },
];

/** What is in the team `ENG`, oldest first. */
export interface Verdant {
  readonly issues: Issue[];
  readonly comments: Comment[];
  addIssue(fields: Partial<Issue>): Issue;
  addComment(issue: Issue, body: string, id?: string): Comment;
  /** More than a page of everything, as other people make it. */
  crowd(): void;
}

/** Begins with issue ENG-1. */
export function createVerdant(clock: Clock): Verdant {
  const issues: Issue[] = [];
  const comments: Comment[] = [];

  function addIssue(fields: Partial<Issue>): Issue {
    const number = issues.length + 1;
    const now = clock.now();
    const issue: Issue = {
      id: randomUUID(),
      number,
      title: `Number ${number}`,
      description: null,
      state: states[0]!,
      labels: [],
      assignee: null,
      createdAt: now,
      updatedAt: now,
      ...fields,
    };
    issues.push(issue);
    return issue;
  }

  function addComment(issue: Issue, body: string, given = randomUUID() as string): Comment {
    const comment = { id: given, issue, body, createdAt: clock.now() };
    comments.push(comment);
    return comment;
  }

  const first = addIssue({ title: 'The plants are dry' });
  return {
    issues,
    comments,
    addIssue,
    addComment,
    crowd() {
      for (let made = 0; made < 120; made++) {
        addIssue({ description: 'By someone else.' });
        addComment(first, 'Me too.');
      }
    },
  };
}

export const identifierOf = ({ number }: Issue): string => `${team.key}-${number}`;
export const urlOf = (issue: Issue): string => `https://linear.app/verdant/issue/${identifierOf(issue)}/x`;
export const commentUrlOf = ({ issue, id: of }: Comment): string =>
  `${urlOf(issue)}#comment-${of.slice(0, 8)}`;

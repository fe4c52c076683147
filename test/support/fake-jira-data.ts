import type { Clock } from '../../src/core/clock.js';

/** In winter eight hours behind UTC: whoever takes JQL's times for UTC finds nothing. */
export const ZONE = 'America/Los_Angeles';

export const ada = {
  accountId: '5b10a2844c20165700ede21g',
  displayName: 'Ada',
  active: true,
  timeZone: ZONE,
};
export const lin = {
  accountId: '5b10ac8d82e05b22cc7d4ef5',
  displayName: 'Lin',
  active: true,
  timeZone: ZONE,
};

export interface Change {
  readonly id: string;
  readonly at: Date;
  readonly items: readonly { readonly field: string; readonly [name: string]: unknown }[];
}

export interface Comment {
  readonly id: string;
  readonly at: Date;
  readonly body: unknown;
  readonly author: object;
  readonly properties: readonly unknown[];
}

export interface Issue {
  readonly id: string;
  readonly key: string;
  readonly created: Date;
  readonly creator: object;
  readonly properties: readonly { readonly key: string; readonly value: unknown }[];
  readonly changes: Change[];
  readonly comments: Comment[];
  updated: Date;
  fields: Readonly<Record<string, unknown>>;
}

const STATUSES = [
  { id: '1', name: 'To Do', statusCategory: { key: 'new' } },
  { id: '3', name: 'In Progress', statusCategory: { key: 'indeterminate' } },
  { id: '6', name: 'Done', statusCategory: { key: 'done' } },
] as const;
const [TO_DO] = STATUSES;

export type Shop = ReturnType<typeof createShop>;

/** What a site holds: the project SHOP with one issue, and what people do there. */
export function createShop(clock: Clock) {
  const issues: Issue[] = [];
  let lastId = 10_000;
  const nextId = (): string => String(++lastId);

  function add(fields: Issue['fields'], creator: object, properties: Issue['properties'] = []): Issue {
    const now = clock.now();
    const issue: Issue = {
      id: nextId(),
      key: `SHOP-${issues.length + 1}`,
      created: now,
      updated: now,
      creator,
      properties,
      changes: [],
      comments: [],
      fields: {
        issuetype: { name: 'Task' },
        labels: [],
        assignee: null,
        resolution: null,
        status: TO_DO,
        ...fields,
      },
    };
    issues.push(issue);
    return issue;
  }

  /** Answers whether anything is another now. */
  function change(issue: Issue, fields: Issue['fields']): boolean {
    const changed = Object.entries(fields).filter(
      ([name, value]) => JSON.stringify(issue.fields[name] ?? null) !== JSON.stringify(value),
    );
    if (changed.length === 0) return false;
    const items = changed.map(([field, value]) => itemOf(field, issue.fields[field], value));
    issue.fields = { ...issue.fields, ...fields };
    issue.updated = clock.now();
    issue.changes.push({ id: nextId(), at: clock.now(), items });
    return true;
  }

  function comment(
    issue: Issue,
    body: unknown,
    author: object,
    properties: readonly unknown[] = [],
  ): Comment {
    const made = { id: nextId(), at: clock.now(), body, author, properties };
    issue.comments.push(made);
    issue.updated = clock.now();
    return made;
  }

  function resolve(issue: Issue): void {
    change(issue, { status: STATUSES[2], resolution: { id: '10000', name: 'Done' } });
  }

  add({ summary: 'The first one', description: null }, lin);
  return {
    issues,
    statuses: STATUSES,
    find: (key: string | undefined) => issues.find((issue) => issue.key === key || issue.id === key),
    add,
    change,
    comment,
    resolve,
    reopen: (issue: Issue) => void change(issue, { status: TO_DO, resolution: null }),
  };
}

function itemOf(field: string, from: unknown, to: unknown): Change['items'][number] {
  return {
    field,
    fieldId: field,
    from: idOf(from),
    fromString: nameOf(from),
    to: idOf(to),
    toString: nameOf(to),
  };
}

function idOf(value: unknown): unknown {
  const { id, accountId } = (value ?? {}) as { id?: unknown; accountId?: unknown };
  return id ?? accountId ?? null;
}

function nameOf(value: unknown): unknown {
  if (typeof value === 'string' || value === null) return value;
  const { name, displayName } = (value ?? {}) as { name?: unknown; displayName?: unknown };
  return name ?? displayName ?? JSON.stringify(value);
}

/** `2026-11-21T04:00:00.750-0800`, as Jira writes times: in the account's zone, without a colon in the offset. */
export function jiraTime(at: Date): string {
  const names = new Intl.DateTimeFormat('en', { timeZone: ZONE, timeZoneName: 'longOffset' }).formatToParts(
    at,
  );
  const offset =
    names
      .find(({ type }) => type === 'timeZoneName')
      ?.value.replace('GMT', '')
      .replace(':', '') || '+0000';
  const seconds = at.toLocaleTimeString('sv-SE', { timeZone: ZONE });
  return `${at.toLocaleDateString('sv-SE', { timeZone: ZONE })}T${seconds}.${String(at.getMilliseconds()).padStart(3, '0')}${offset}`;
}

/** `2026-11-21 04:00`, as JQL takes times. */
export function jqlTime(at: Date): string {
  return at.toLocaleString('sv-SE', { timeZone: ZONE }).slice(0, 16);
}

import * as fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ProviderEvent, type SignalDraft, at } from '../../src/connector/index.js';
import { normalize, rules } from './normalize.js';
import { digestOf } from './normalize/identity.js';
import { webhook } from './webhook.js';

const receivedAt = new Date('2026-11-21T12:00:00Z');

function event(type: string, body: unknown, id = 'delivery-1'): ProviderEvent {
  return { id, type, body, receivedAt };
}

/** The one signal of an event. */
function only(type: string, body: unknown): SignalDraft {
  const [draft, ...more] = normalize(event(type, body));
  expect(more).toEqual([]);
  return draft as SignalDraft;
}

const folder = join(import.meta.dirname, 'fixtures');
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
const fixtures = readdirSync(folder)
  .filter((file) => file.endsWith('.signals.json'))
  .map((file) => file.replace('.signals.json', ''));

/** A copy of a fixture's body with some fields of one object replaced. */
function changed(name: string, key: string, fields: object): unknown {
  const body = read(`${name}.json`) as Record<string, object>;
  return { ...body, [key]: { ...body[key], ...fields } };
}

interface Published {
  readonly name: string;
  readonly examples: readonly object[];
}
/** GitHub's own example deliveries, of 58 events. */
const published = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Published[];
const deliveries = published.flatMap(({ name, examples }) =>
  examples.map((body, index) => {
    const action = at(body, 'action');
    return event(typeof action === 'string' ? `${name}.${action}` : name, body, `${name}-${index}`);
  }),
);

describe('fixtures', () => {
  // A change in these files is a change of what tenants see: read it, then save it by hand.
  it.each(fixtures)('%s becomes what is expected', (name) => {
    const headers = read(`${name}.headers.json`) as Record<string, string>;
    const delivery = { headers, body: readFileSync(join(folder, `${name}.json`)), receivedAt };
    const body = webhook.decode?.(delivery);
    const drafts = normalize({ ...webhook.identify(delivery, body), body, receivedAt });
    expect(JSON.parse(JSON.stringify(drafts))).toEqual(read(`${name}.signals.json`));
  });
});

describe('published examples', () => {
  it('are all there', () => {
    expect(published).toHaveLength(58);
    expect(deliveries).toHaveLength(329);
  });

  it('all become signals', () => {
    for (const delivery of deliveries) expect(normalize(delivery).length).toBeGreaterThan(0);
  });

  const types = {
    'check_run.completed': 'build_finished',
    'check_run.created': 'build_queued',
    'check_run.requested_action': 'provider_event',
    'check_run.rerequested': 'build_queued',
    'check_suite.completed': 'build_finished',
    'check_suite.requested': 'build_queued',
    'check_suite.rerequested': 'build_queued',
    'commit_comment.created': 'comment_added',
    create: 'tag_created',
    delete: 'provider_event',
    'deployment.created': 'deployment_created',
    'deployment_status.created': 'deployment_status_changed',
    'discussion.created': 'provider_event',
    'discussion_comment.created': 'comment_added',
    gollum: 'page_updated',
    'installation.created': 'app_installed',
    'installation.deleted': 'app_uninstalled',
    'installation.suspend': 'provider_event',
    'issue_comment.created': 'issue_commented',
    'issue_comment.deleted': 'provider_event',
    'issue_comment.edited': 'provider_event',
    'issues.assigned': 'issue_assigned',
    'issues.deleted': 'issue_deleted',
    'issues.demilestoned': 'issue_updated',
    'issues.edited': 'issue_updated',
    'issues.labeled': 'issue_updated',
    'issues.locked': 'issue_updated',
    'issues.milestoned': 'issue_updated',
    'issues.opened': 'issue_created',
    'issues.pinned': 'issue_updated',
    'issues.reopened': 'issue_reopened',
    'issues.transferred': 'issue_updated',
    'issues.unassigned': 'issue_updated',
    'issues.unlabeled': 'issue_updated',
    'issues.unlocked': 'issue_updated',
    'issues.unpinned': 'issue_updated',
    'member.added': 'role_assigned',
    'member.edited': 'role_assigned',
    'membership.added': 'group_membership_changed',
    'membership.removed': 'group_membership_changed',
    'organization.member_added': 'user_created',
    'organization.member_invited': 'provider_event',
    ping: 'webhook_ping',
    'pull_request.assigned': 'pr_updated',
    'pull_request.closed': 'pr_closed',
    'pull_request.converted_to_draft': 'pr_updated',
    'pull_request.labeled': 'pr_updated',
    'pull_request.opened': 'pr_opened',
    'pull_request.ready_for_review': 'pr_updated',
    'pull_request.reopened': 'pr_reopened',
    'pull_request.review_request_removed': 'pr_updated',
    'pull_request.review_requested': 'pr_updated',
    'pull_request.synchronize': 'pr_updated',
    'pull_request_review.dismissed': 'pr_updated',
    'pull_request_review.submitted': 'pr_reviewed',
    'pull_request_review_comment.created': 'pr_commented',
    'pull_request_review_comment.deleted': 'provider_event',
    'pull_request_review_comment.edited': 'provider_event',
    'pull_request_review_thread.resolved': 'pr_updated',
    push: 'push',
    'release.created': 'provider_event',
    'release.published': 'release_published',
    'release.released': 'provider_event',
    'repository_dispatch.on-demand-test': 'provider_event',
    'star.created': 'provider_event',
    status: 'build_finished',
    'workflow_job.completed': 'build_finished',
    'workflow_job.in_progress': 'build_started',
    'workflow_job.queued': 'build_queued',
    'workflow_job.waiting': 'build_queued',
    'workflow_run.completed': 'build_finished',
    'workflow_run.requested': 'build_queued',
  };

  it.each(Object.entries(types))('%s is %s', (type, expected) => {
    const found = deliveries.filter((delivery) => delivery.type === type).flatMap(normalize);
    expect(new Set(found.map((draft) => draft.type))).toEqual(new Set([expected]));
  });

  it('of an event without a rule still tell who, where and when', () => {
    const [dependabot] = deliveries
      .filter(({ type }) => type === 'dependabot_alert.fixed')
      .flatMap(normalize);
    expect(dependabot).toMatchObject({
      type: 'provider_event',
      identity: 'delivery:dependabot_alert-0',
      occurredAt: new Date('2022-06-15T13:55:40Z'),
      resource: { repository: 'octocat/hello-world' },
      payload: { action: 'fixed', state: 'fixed', number: 1, actor: { login: 'github' } },
      evidence: [{ type: 'alert', url: 'https://github.com/octocat/hello-world/security/dependabot/1' }],
    });
  });

  it('say which documented field they lack', () => {
    const lacking = deliveries.flatMap(normalize).flatMap(({ missing }) => missing ?? []);
    expect(lacking).toEqual(['team.slug', 'workflow_job.head_branch']);
  });
});

interface Told {
  readonly delivery: ProviderEvent;
  readonly draft: SignalDraft;
}
const nameOf = ({ draft }: Told) => `${draft.type} ${draft.identity}`;
const eventsOf = (group: readonly Told[]) =>
  [...new Set(group.map(({ delivery }) => delivery.type))].toSorted().join(' ');

describe('identities of the published examples', () => {
  /**
   * GitHub publishes these happenings several times: with and without `organization` and `installation`, and from its
   * older and newer API, some edited by hand under the same id. They are one happening each, and so one identity.
   */
  const publishedAgain = `
    check_run.completed check_run.created check_suite.completed check_suite.requested
    commit_comment.created deployment.created deployment_status.created fork gollum installation.created
    installation.deleted issue_comment.created issue_comment.deleted issue_comment.edited
    issues.assigned issues.demilestoned issues.locked issues.milestoned issues.opened issues.unassigned
    issues.unlabeled issues.unlocked pull_request.closed pull_request.converted_to_draft
    pull_request.labeled pull_request.locked pull_request.opened pull_request.ready_for_review
    pull_request.reopened pull_request.unassigned pull_request.unlabeled pull_request.unlocked
    pull_request_review.submitted pull_request_review_comment.created push release.published status
    workflow_job.completed workflow_run.completed workflow_run.requested
  `;
  /** Several actions that left the object in one and the same state within one second: one version, told twice. */
  const oneVersion = [
    'issues.edited issues.labeled',
    'pull_request.assigned pull_request.review_request_removed pull_request.review_requested pull_request.synchronize',
  ];

  it('meet only where the same thing is told twice', () => {
    const told = deliveries.flatMap((delivery) => normalize(delivery).map((draft) => ({ delivery, draft })));
    const names = new Set(told.map(nameOf));
    const groups = [...names].map((name) => told.filter((one) => nameOf(one) === name));
    const meeting = groups.filter((group) => group.length > 1);
    const expected = [...publishedAgain.trim().split(/\s+/), ...oneVersion];
    expect(new Set(meeting.map(eventsOf))).toEqual(new Set(expected));
    for (const group of meeting) {
      expect(new Set(group.map(({ draft }) => draft.resource.repository)).size).toBe(1);
    }
  });

  it('do not depend on the delivery where GitHub knows the thing by itself', () => {
    const named = new Set(rules.filter(({ identity }) => identity).flatMap(({ on }) => on));
    for (const delivery of deliveries.filter(({ type }) => named.has(type))) {
      const again = { ...delivery, id: 'another', receivedAt: new Date(0) };
      expect(normalize(again)).toEqual(normalize(delivery));
    }
  });
});

const identityOf = (fields: object) =>
  only('issues.labeled', changed('issues.labeled', 'issue', fields)).identity;

describe('versions', () => {
  const original = identityOf({});

  it.each([
    ['title', { title: 'Other' }],
    ['state', { state: 'closed' }],
    ['body', { body: 'Other' }],
    ['labels', { labels: [] }],
    ['assignees', { assignees: [] }],
    ['milestone', { milestone: null }],
    ['lock', { locked: true }],
    ['time', { updated_at: '2026-11-19T08:30:01Z' }],
  ])('differ by %s within one second', (_, fields) => expect(identityOf(fields)).not.toBe(original));

  it('are the same as a poll sees them: other fields, other order', () => {
    const issue = at(read('issues.labeled.json'), 'issue') as { labels: readonly object[] };
    const { labels } = issue;
    expect(identityOf({ labels: labels.toReversed(), comments: 9, reactions: {} })).toBe(original);
    expect(digestOf({ ...issue, closed_by: null, timeline_url: 'x' })).toBe(digestOf(issue));
  });

  it('tell two updates of a pull request apart, and name the same one alike whatever the action was', () => {
    const body = changed('pull_request.opened', 'pull_request', {});
    const pushed = changed('pull_request.opened', 'pull_request', {
      head: { ref: 'x', sha: 'f'.repeat(40) },
    });
    const [labeled, edited] = ['labeled', 'edited'].map((action) => only(`pull_request.${action}`, body));
    expect(edited?.identity).toBe(labeled?.identity);
    expect(only('pull_request.synchronize', pushed).identity).not.toBe(labeled?.identity);
  });
});

describe('what the body decides', () => {
  const ref = { repository: { id: 1, full_name: 'acme/shop' }, sender: { id: 7, login: 'ada' }, ref: 'v2' };

  it.each([
    ['create', { ...ref, ref_type: 'branch' }, 'branch_created'],
    ['create', { ...ref, ref_type: 'tag' }, 'tag_created'],
    ['create', { ...ref, ref_type: 'repository' }, 'provider_event'],
    ['delete', { ...ref, ref_type: 'branch' }, 'branch_deleted'],
    ['delete', { ...ref, ref_type: 'tag' }, 'provider_event'],
    ['status', { state: 'pending', id: 1 }, 'build_started'],
    ['status', { state: 'failure', id: 1 }, 'build_finished'],
    ['status', { state: 'strange', id: 1 }, 'provider_event'],
    ['check_run.created', { check_run: { status: 'in_progress' } }, 'build_started'],
    ['check_run.created', { check_run: { status: 'completed' } }, 'build_finished'],
    ['check_run.created', { check_run: {} }, 'provider_event'],
    ['check_run.completed', {}, 'build_finished'],
    ['pull_request.closed', { pull_request: { merged: true } }, 'pr_merged'],
    ['pull_request.closed', { pull_request: { merged_at: '2026-11-20T10:40:05Z' } }, 'pr_merged'],
    ['pull_request.closed', { pull_request: { merged: false, merged_at: null } }, 'pr_closed'],
    ['issue_comment.created', { issue: { pull_request: {} } }, 'pr_commented'],
    ['organization.member_removed', {}, 'user_deactivated'],
    ['member.removed', {}, 'provider_event'],
    ['pull_request.invented', {}, 'provider_event'],
    ['constructor', {}, 'provider_event'],
  ])('%s %j is %s', (type, body, expected) => expect(only(type, body).type).toBe(expected));

  it('makes one signal of each page of a wiki edit, and of each page once', () => {
    const page = { page_name: 'Home', sha: 'a1', action: 'edited' };
    const pages = [page, { ...page, page_name: 'New', action: 'created' }, page, {}, {}];
    const drafts = normalize(event('gollum', { ...ref, pages }));
    expect(drafts.map(({ type, identity }) => [type, identity])).toEqual([
      ['page_updated', 'wiki_page:1:Home:a1'],
      ['page_published', 'wiki_page:1:New:a1'],
      ['provider_event', 'delivery:delivery-1:3'],
      ['provider_event', 'delivery:delivery-1:4'],
    ]);
    expect(only('gollum', { pages: [] }).type).toBe('provider_event');
  });

  it('tells pushes of the same commits apart by their time', () => {
    const first = only('push', changed('push', 'repository', {}));
    expect(only('push', changed('push', 'repository', { pushed_at: 1 })).identity).not.toBe(first.identity);
  });
});

describe('bounds and safety', () => {
  it('keeps ten thousand characters of a text, and no half of one', () => {
    const body = changed('issues.opened', 'issue', { body: `${'x'.repeat(9_999)}👍`, title: 'a\nb' });
    const { payload } = only('issues.opened', body);
    expect(payload['body']).toBe(`${'x'.repeat(9_999)}\uFFFD`);
    expect(payload['title']).toBe('a');
  });

  it('names twenty commits of a push and counts them all', () => {
    const commits = Array.from({ length: 30 }, (_, index) => ({ id: `${index}`, message: 'm' }));
    const { payload } = only('push', { ...(changed('push', 'repository', {}) as object), commits });
    expect(payload['commit_count']).toBe(30);
    expect(payload['commits']).toHaveLength(20);
  });

  it('links to web pages only', () => {
    const body = changed('issues.opened', 'issue', { html_url: 'javascript:alert(1)' });
    expect(only('issues.opened', body).evidence.map(({ type }) => type)).toEqual(['repository']);
  });

  it('never shows the address of our own endpoint', () => {
    const hook = {
      events: ['push'],
      active: true,
      config: { url: 'https://t.example/v1/whk_secret', secret: '****' },
    };
    const ping = only('ping', { zen: 'Calm.', hook_id: 1, hook });
    expect(ping).toMatchObject({ type: 'webhook_ping', payload: { hook_id: '1', events: ['push'] } });
    expect(JSON.stringify([ping, only('meta.deleted', { hook_id: 1, hook })])).not.toContain('whk_secret');
  });

  it('knows an issue key from the name of a standard', () => {
    const title = 'Read UTF-8 and SHA-256, see SHOP-12, xSHOP-13 and SHOP-14b; RFC-9110, CVE-2026-1, OPS-9.';
    const { correlationHints } = only('issues.opened', changed('issues.opened', 'issue', { title }));
    expect(correlationHints.map(({ value }) => value)).toEqual(['acme/shop#40', 'SHOP-12', 'OPS-9']);
  });

  it('says what is missing, whole objects by their name, and takes null for an answer', () => {
    const { missing } = only('issues.opened', { repository: { id: 1 }, sender: null });
    expect(missing).toEqual(['issue', 'repository.full_name']);
    expect(only('push', read('push.branch-deleted.json')).missing).toBeUndefined();
  });
});

describe('normalize', () => {
  const names = [...new Set([...rules.flatMap(({ on }) => on), ...deliveries.map(({ type }) => type)])];

  it('is total: any JSON, under any name', () => {
    const type = fc.oneof(fc.constantFrom(...names), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(type, fc.jsonValue(), (name, body) => {
        const drafts = normalize(event(name, body));
        expect(drafts.length).toBeGreaterThan(0);
        for (const { identity } of drafts) expect(identity).toMatch(/^.{1,255}$/s);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is total over real deliveries under every other name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.constantFrom(...deliveries), (name, { body }) => {
        expect(normalize(event(name, body)).length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is deterministic and changes nothing', () => {
    for (const delivery of deliveries) {
      const first = normalize(structuredClone(delivery));
      expect(normalize(deepFreeze(structuredClone(delivery)))).toStrictEqual(first);
    }
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (!(value instanceof Date)) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

import * as fc from 'fast-check';
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ProviderEvent, type SignalDraft, isObject } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { subject } from '../../test/conformance/subjects/gitlab.js';
import { redact } from '../../src/signal/redact.js';
import { manifest } from './manifest.js';
import { normalize } from './normalize.js';
import { webhook } from './webhook.js';

const receivedAt = new Date('2026-11-21T12:00:00Z');
const folder = join(import.meta.dirname, 'fixtures');
const read = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
const fixtures = readdirSync(folder)
  .filter((file) => file.endsWith('.signals.json'))
  .map((file) => file.replace('.signals.json', ''));

function event(body: unknown, type?: string): ProviderEvent {
  const headers = { 'idempotency-key': 'key-1' };
  const identity = webhook.identify({ headers, body: Buffer.from('{}'), receivedAt }, body);
  return { ...identity, ...(type && { type }), body, receivedAt };
}

/** The one signal of an event. */
function only(body: unknown): SignalDraft {
  const [draft, ...more] = normalize(event(body));
  expect(more).toEqual([]);
  return draft as SignalDraft;
}

/** A fixture's body with some attributes replaced. */
function changed(name: string, attributes: object): unknown {
  const body = read(`${name}.json`);
  return { ...body, object_attributes: { ...(body['object_attributes'] as object), ...attributes } };
}

const namesOf = (drafts: readonly SignalDraft[]) => drafts.map(({ type, identity }) => `${type} ${identity}`);

describe('merge requests and issues', () => {
  it.each([
    ['open', 'pr_opened'],
    ['merge', 'pr_merged'],
    ['close', 'pr_closed'],
    ['reopen', 'pr_reopened'],
    ['update', 'pr_updated'],
    ['approved', 'pr_reviewed'],
    ['approval', 'pr_reviewed'],
    ['unapproved', 'pr_updated'],
    ['unapproval', 'pr_updated'],
    ['never heard of', 'provider_event'],
  ])('a merge request with the action %s is %s', (action, type) => {
    expect(only(changed('merge_request.open', { action })).type).toBe(type);
  });

  it.each([
    ['open', 'issue_created'],
    ['close', 'issue_closed'],
    ['reopen', 'issue_reopened'],
    ['update', 'issue_updated'],
  ])('an issue with the action %s is %s, and so is a task', (action, type) => {
    const body = changed('issue.open', { action }) as object;
    expect(only(body).type).toBe(type);
    expect(only({ ...body, object_kind: 'work_item' }).type).toBe(type);
  });

  it('two changes within one second are two', () => {
    const at = { action: 'update' };
    const bodies = ['title', 'description'].map((field) => ({
      ...(changed('issue.open', at) as object),
      changes: { [field]: { previous: 'a', current: 'b' } },
    }));
    expect(new Set(bodies.map((body) => only(body).identity)).size).toBe(2);
  });

  it('one moment is one, in each of the ways that GitLab writes it', () => {
    const ways = ['2026-01-07T16:00:00Z', '2026-01-07 16:00:00 UTC', '2026-01-07T16:00:00.123Z'];
    const identities = ways.map((closed_at) => only(changed('issue.close', { closed_at })).identity);
    expect(new Set(identities)).toEqual(new Set(['issue:701:closed:2026-01-07T16:00:00Z']));
  });

  it('an issue of an old GitLab was closed when it was last changed', () => {
    const draft = only(changed('issue.close', { closed_at: undefined }));
    expect(draft).toMatchObject({ type: 'issue_closed', identity: 'issue:701:closed:2026-01-07T16:00:01Z' });
  });

  it('GitLab’s own notes are no comments', () => {
    expect(only(changed('note.issue', { system: true })).type).toBe('provider_event');
    expect(only(changed('note.issue', { action: 'update' })).type).toBe('provider_event');
    expect(only(changed('note.issue', { action: undefined })).type).toBe('issue_commented');
    expect(only(changed('note.issue', { noteable_type: 'Snippet' })).type).toBe('comment_added');
  });
});

describe('builds', () => {
  it.each([
    ['created', 'build_queued'],
    ['waiting_for_resource', 'build_queued'],
    ['preparing', 'build_queued'],
    ['pending', 'build_queued'],
    ['scheduled', 'build_queued'],
    ['running', 'build_started'],
    ['success', 'build_finished'],
    ['failed', 'build_finished'],
    ['canceled', 'build_finished'],
    ['skipped', 'provider_event'],
    ['manual', 'provider_event'],
  ])('a pipeline or job that is %s is %s', (status, type) => {
    expect(only(changed('pipeline.success', { status })).type).toBe(type);
    expect(only({ ...read('build.failed.json'), build_status: status }).type).toBe(type);
  });

  it('a pipeline that is run again ends again', () => {
    const again = only(changed('pipeline.success', { finished_at: '2026-01-05 11:00:00 UTC' }));
    expect(again.identity).not.toBe(only(read('pipeline.success.json')).identity);
  });

  it('tell no variable', () => {
    const secret = 'hunter2-of-the-pipeline';
    const body = changed('pipeline.success', { variables: [{ key: 'TOKEN', value: secret }] });
    expect(JSON.stringify(normalize(event(body)))).not.toContain(secret);
  });
});

describe('what is kept of a delivery', () => {
  it('has no address of anybody, and no value of a variable', () => {
    const mail = 'ada@example.com';
    const fill = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(fill);
      if (!isObject(value)) return value;
      const entries = Object.entries(value).map(([key, inner]) => [
        key,
        key.endsWith('email') ? mail : fill(inner),
      ]);
      return Object.fromEntries(entries) as unknown;
    };
    const variables = [{ key: 'TOKEN', value: 'hunter2' }];
    const bodies = [
      ...fixtures.map((name) => read(`${name}.json`)),
      changed('pipeline.success', { variables }),
    ];
    for (const body of bodies) {
      const kept = JSON.stringify(redact(fill(body), manifest.redact));
      expect(kept).not.toContain(mail);
      expect(kept).not.toContain('hunter2');
    }
  });
});

describe('pushes', () => {
  it('of a new branch, a deleted one and a new tag have a second signal', () => {
    const typesOf = (name: string) => normalize(event(read(`${name}.json`))).map(({ type }) => type);
    expect(typesOf('push')).toEqual(['push']);
    expect(typesOf('push.new-branch')).toEqual(['push', 'branch_created']);
    expect(typesOf('push.branch-deleted')).toEqual(['push', 'branch_deleted']);
    expect(typesOf('tag_push')).toEqual(['push', 'tag_created']);
  });
});

describe('the order of deliveries', () => {
  it('makes no difference to what there is in the end', () => {
    const all = fixtures.map((name) => event(read(`${name}.json`)));
    const expected = new Set(all.flatMap((one) => namesOf(normalize(one))));
    const shuffled = fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 });
    fc.assert(
      fc.property(shuffled, (events) => {
        expect(new Set(events.flatMap((one) => namesOf(normalize(one))))).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

const payloads = join(process.env['TRIBUTARY_PAYLOADS'] ?? '../shared/reference/payloads', 'gitlab');
const captured = existsSync(payloads) ? globSync('**/*.json', { cwd: payloads }).toSorted() : [];

describe.skipIf(captured.length === 0)(`real deliveries in ${payloads}`, () => {
  const sign = subject.webhook!.sign;
  const secret = new Secret(subject.webhook!.secret!('of a real delivery'));

  it.each(captured)('%s is taken, and becomes signals', (file) => {
    const bytes = readFileSync(join(payloads, file));
    const delivery = sign({ headers: { 'idempotency-key': file }, body: bytes }, secret, receivedAt);
    expect(webhook.verify(delivery, [secret])).toBe(true);
    expect(webhook.verify({ ...delivery, headers: { 'x-gitlab-token': secret.reveal() } }, [secret])).toBe(
      true,
    );
    const spoilt = Buffer.from(bytes);
    spoilt[bytes.length >> 1]! ^= 1;
    expect(webhook.verify({ ...delivery, body: spoilt }, [secret])).toBe(false);

    const body: unknown = JSON.parse(bytes.toString('utf8'));
    const told = { ...webhook.identify(delivery, body), body, receivedAt };
    const drafts = normalize(told);
    expect(drafts.length).toBeGreaterThan(0);
    expect(namesOf(normalize({ ...told, id: 'again' })).filter(isLasting)).toEqual(
      namesOf(drafts).filter(isLasting),
    );
    expect(drafts.map(({ type }) => type)).toEqual(expectedOf(file, body));
  });
});

/** What has no identity of its own is known by its delivery. */
const isLasting = (name: string): boolean => !name.includes(' delivery:');

/** What each of the files we know is about; the rest is kept as it came. */
const known: Readonly<Record<string, readonly string[]>> = {
  'build-event': ['build_queued'],
  'comment-commit-event': ['comment_added'],
  'comment-issue-event': ['issue_commented'],
  'comment-merge-request-event': ['pr_commented'],
  'comment-snippet-event': ['comment_added'],
  'confidential-comment-event': ['issue_commented'],
  'confidential-issue-event': ['issue_created'],
  'deployment-event': ['deployment_status_changed'],
  'issue-event': ['issue_created'],
  'job-event': ['build_queued'],
  'merge-request-event': ['pr_opened'],
  'pipeline-event': ['build_finished'],
  'push-event': ['push'],
  'release-event': ['release_published'],
  'system-group-member-added': ['user_created'],
  'system-group-member-removed': ['user_deactivated'],
  'system-group-member-updated': ['role_assigned'],
  'system-push-event': ['push'],
  'system-tag-event': ['push', 'tag_created'],
  'system-team-member-added': ['role_assigned'],
  'system-team-member-updated': ['role_assigned'],
  'system-user-created': ['user_created'],
  'system-user-failed-login': ['login_failed'],
  'system-user-removed': ['user_deactivated'],
  'system-user-renamed': ['user_updated'],
  'tag-event': ['push', 'tag_created'],
  'wikipage-event': ['page_published'],
};

function expectedOf(file: string, body: unknown): readonly string[] {
  expect(isObject(body)).toBe(true);
  return known[basename(file, '.json')] ?? ['provider_event'];
}

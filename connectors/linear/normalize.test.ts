import * as fc from 'fast-check';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent, SignalDraft } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { subject } from '../../test/conformance/subjects/linear.js';
import { normalize } from './normalize.js';
import { webhook } from './webhook.js';

const receivedAt = new Date('2026-11-21T12:00:00Z');
const folder = join(import.meta.dirname, 'fixtures');
const read = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
const fixtures = readdirSync(folder)
  .filter((file) => file.endsWith('.signals.json'))
  .map((file) => file.replace('.signals.json', ''));

function event(body: Record<string, unknown>): ProviderEvent {
  return { id: 'delivery-1', type: `${String(body['type'])}.${String(body['action'])}`, body, receivedAt };
}

/** The one signal of an event. */
function only(body: Record<string, unknown>): SignalDraft {
  const [draft, ...more] = normalize(event(body));
  expect(more).toEqual([]);
  return draft as SignalDraft;
}

const namesOf = (drafts: readonly SignalDraft[]) => drafts.map(({ type, identity }) => `${type} ${identity}`);

describe('an issue', () => {
  const update = (updatedFrom: object, data: object = {}) => {
    const body = read('Issue.update-title.json');
    return only({ ...body, updatedFrom, data: { ...(body['data'] as object), ...data } }).type;
  };

  it('is called by what was changed of it', () => {
    expect(update({ title: 'Before' })).toBe('issue_updated');
    expect(update({ stateId: 'x' })).toBe('issue_status_changed');
    expect(update({ assigneeId: null }, { assigneeId: 'x' })).toBe('issue_assigned');
    expect(update({ assigneeId: 'x' }, { assigneeId: null })).toBe('issue_updated');
    expect(update({ assigneeId: null, stateId: 'x' }, { assigneeId: 'x' })).toBe('issue_status_changed');
    expect(update({})).toBe('issue_updated');
  });

  it('has the key that people know it by, also from before Linear told it', () => {
    const body = read('Issue.create.json');
    const { identifier: _, ...data } = body['data'] as Record<string, unknown>;
    expect(only({ ...body, data }).canonicalKeys['issue_key']).toBe('ENG-12');
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

const payloads = join(process.env['TRIBUTARY_PAYLOADS'] ?? '../shared/reference/payloads', 'linear');
const captured = existsSync(payloads) ? readdirSync(payloads).filter((file) => file.endsWith('.json')) : [];

describe.skipIf(captured.length === 0)(`real deliveries in ${payloads}`, () => {
  const secret = new Secret('of a real delivery');
  const headersOf = (file: string) => ({ 'linear-delivery': file });

  it.each(captured)('%s is taken, and becomes a signal', (file) => {
    const bytes = readFileSync(join(payloads, file));
    const sent = subject.webhook!.sign({ headers: headersOf(file), body: bytes }, secret, receivedAt);
    expect(webhook.verify(sent, [secret])).toBe(true);
    const spoilt = Buffer.from(sent.body);
    spoilt[sent.body.length >> 1]! ^= 1;
    expect(webhook.verify({ ...sent, body: spoilt }, [secret])).toBe(false);

    const body = JSON.parse(sent.body.toString('utf8')) as Record<string, unknown>;
    const told = { ...webhook.identify(sent, body), body, receivedAt };
    const drafts = normalize(told);
    expect(drafts.map(({ type }) => type)).toEqual([known[file] ?? 'provider_event']);
    const again = namesOf(normalize({ ...told, id: 'again' }));
    expect(again.filter(isLasting)).toEqual(namesOf(drafts).filter(isLasting));
  });
});

/** What has no identity of its own is known by its delivery. */
const isLasting = (name: string): boolean => !name.includes(' delivery:');

/** What each of the files we know is about; the rest is kept as it came. */
const known: Readonly<Record<string, string>> = {
  'korosuke.createComment.json': 'issue_commented',
  'korosuke.updateIssueCycle.json': 'issue_status_changed',
  'korosuke.updateIssueEstimated.json': 'issue_updated',
  'zulip.comment_create.json': 'issue_commented',
};

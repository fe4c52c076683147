import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/github.js';
import { type World, failureOf, inWorld } from '../../test/conformance/world.js';
import { answer } from '../../test/support/fake-behavior.js';
import { triggerBuild } from './actions/builds.js';
import { updateIssue } from './actions/issues.js';
import { addReaction } from './actions/reactions.js';
import { API_VERSIONS } from './version.js';

const issue = { project: 'octo/demo', issue: '1' };
const build = { repository: 'octo/demo', ref: 'main', workflow: 'ci.yml' };

const at = (apiVersion: string) => ({
  ...subject,
  provider: { ...subject.provider, settings: { apiVersion } },
});

const bodiesOf = ({ fake }: World) => fake.provider.requests.map(({ body }) => body);

describe('updateIssue', () => {
  it.each([
    ['closed', { state: 'closed' }],
    ['Closed', { state: 'closed' }],
    ['Completed', { state: 'closed', state_reason: 'completed' }],
    ['not_planned', { state: 'closed', state_reason: 'not_planned' }],
    ['Closed as not planned', { state: 'closed', state_reason: 'not_planned' }],
    ['reopened', { state: 'open' }],
  ])('makes of the status "%s" %j', (status, sent) =>
    inWorld(subject, async (world) => {
      const { output } = await updateIssue.execute(world.context, { ...issue, status });
      expect(output).toEqual({ number: 1, url: 'https://github.com/octo/demo/issues/1' });
      expect(bodiesOf(world)).toEqual([sent]);
    }),
  );

  it('sends what is given and nothing else: lists replace what was there', () =>
    inWorld(subject, async (world) => {
      await updateIssue.execute(world.context, { ...issue, labels: [], title: 'The door closes' });
      expect(bodiesOf(world)).toEqual([{ labels: [], title: 'The door closes' }]);
    }));

  it.each(['done', '__proto__', ''])('refuses the status "%s" before anything is sent', (status) =>
    inWorld(subject, async (world) => {
      const { details } = await failureOf(updateIssue.execute(world.context, { ...issue, status }));
      expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_status' });
      expect(world.fake.provider.requests).toEqual([]);
    }),
  );
});

describe('addReaction', () => {
  it('takes the two thumbs by either name', () =>
    inWorld(subject, async (world) => {
      const outcomes = await Promise.all(
        ['thumbsup', '+1'].map((name) => addReaction.execute(world.context, { ...issue, name })),
      );
      expect(outcomes[0]).toEqual(outcomes[1]);
      expect(bodiesOf(world)).toEqual([{ content: '+1' }, { content: '+1' }]);
      expect(world.effects()).toBe(1);
    }));

  it.each([
    [{ ...issue, name: 'tada' }, 'invalid_reaction'],
    [{ ...issue, name: 'constructor' }, 'invalid_reaction'],
    [{ channel: 'C1', message: '1', name: 'heart' }, 'unsupported_target'],
  ])('refuses %j as %s before anything is sent', (input, code) =>
    inWorld(subject, async (world) => {
      const { details } = await failureOf(addReaction.execute(world.context, input));
      expect(details).toMatchObject({ category: 'INVALID', code });
      expect(world.fake.provider.requests).toEqual([]);
    }),
  );
});

describe('triggerBuild', () => {
  it.each([
    [API_VERSIONS.earlier, { ref: 'main', return_run_details: true }],
    [API_VERSIONS.later, { ref: 'main' }],
  ])('is told its run by version %s', (version, sent) =>
    inWorld(at(version), async (world) => {
      const { externalId, output } = await triggerBuild.execute(world.context, build);
      const url = `https://github.com/octo/demo/actions/runs/${externalId}`;
      expect(output).toEqual({ buildId: externalId, url });
      expect(bodiesOf(world)).toEqual([sent]);
      expect(world.fake.provider.requests[0]?.headers['x-github-api-version']).toBe(version);
    }),
  );

  it('can’t tell which run it was where an older server answers 204', () =>
    inWorld(subject, async (world) => {
      world.fake.provider.next(() => true, answer({ status: 204 }));
      const { details } = await failureOf(triggerBuild.execute(world.context, build));
      expect(details).toMatchObject({ category: 'PROVIDER', code: 'unexpected_answer', isAmbiguous: true });
    }));

  it('needs a workflow', () =>
    inWorld(subject, async ({ context }) => {
      const { details } = await failureOf(
        triggerBuild.execute(context, { repository: build.repository, ref: build.ref }),
      );
      expect(details).toMatchObject({ category: 'INVALID', code: 'missing_workflow' });
    }));
});

import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/slack.js';
import { failureOf, inWorld } from '../../test/conformance/world.js';
import { answer, loseAnswer } from '../../test/support/fake-behavior.js';
import { CHANNEL, refusal } from '../../test/support/fake-slack.js';
import { addReaction } from './actions/reactions.js';
import { postMessage, replyInThread } from './actions/messages.js';

// Only what conformance can't know.

const FIRST = '1795262400.000001';

describe('postMessage', () => {
  it('says what was asked in Slack’s words, marked where no reader sees it', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const outcome = await postMessage.execute(context, {
        channel: CHANNEL,
        text: '**Open** the <!channel>',
      });
      expect(outcome).toEqual({
        externalId: '1795262400.000002',
        output: { channel: CHANNEL, message: '1795262400.000002' },
      });
      const [request] = fake.provider.requests;
      expect(request?.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(request?.body).toEqual({
        channel: CHANNEL,
        text: '*Open* the &lt;!channel&gt;',
        link_names: false,
        metadata: { event_type: 'tributary_action', event_payload: { action_id: context.actionId } },
      });
    });
  });

  it.each([['#general'], ['general'], ['U0ADA00001'], ['c0general1'], ['']])(
    'sends nothing to a channel called %j',
    async (channel) => {
      await inWorld(subject, async ({ fake, context }) => {
        const { details } = await failureOf(postMessage.execute(context, { channel, text: 'x' }));
        expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_channel' });
        expect(fake.provider.requests).toEqual([]);
      });
    },
  );

  it.each([
    ['<!-- nothing -->', 'no_text'],
    ['&'.repeat(8_001), 'text_too_long'],
  ])('sends no text that Slack could not show whole: %.20j', async (text, code) => {
    await inWorld(subject, async ({ fake, context }) => {
      const { details } = await failureOf(postMessage.execute(context, { channel: CHANNEL, text }));
      expect(details).toMatchObject({ category: 'INVALID', code });
      expect(fake.provider.requests).toEqual([]);
    });
  });

  it('that ended in internal_error may have been done, and is looked for', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const input = { channel: CHANNEL, text: 'x' };
      fake.provider.next('POST /chat.postMessage', ({ perform, send }) => {
        perform();
        send(refusal('internal_error'));
      });
      const { details } = await failureOf(postMessage.execute(context, input));
      expect(details).toMatchObject({ category: 'PROVIDER', isAmbiguous: true });
      expect(await postMessage.reconcile!(context, input)).toMatchObject({ externalId: '1795262400.000002' });
    });
  });

  it('is not taken for lost where Slack does not let us look', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const input = { channel: CHANNEL, text: 'x' };
      fake.provider.next('POST /chat.postMessage', loseAnswer());
      await failureOf(postMessage.execute(context, input));
      fake.provider.next('GET /conversations.history', answer(refusal('missing_scope')));
      const { details } = await failureOf(postMessage.reconcile!(context, input));
      expect(details).toMatchObject({ category: 'AUTH', code: 'missing_scope' });
    });
  });

  it('does not look through a channel without an end', async () => {
    await inWorld(subject, async ({ context }) => {
      const body = { ok: true, messages: [], response_metadata: { next_cursor: 'more' } };
      const request = async () => ({ status: 200, headers: {}, body });
      const input = { channel: CHANNEL, text: 'x' };
      const { details } = await failureOf(postMessage.reconcile!({ ...context, request }, input));
      expect(details).toMatchObject({ category: 'UNKNOWN', code: 'search_limit' });
    });
  });
});

describe('replyInThread', () => {
  it('names the message that it answers, and is found in its thread alone', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const input = { channel: CHANNEL, thread: FIRST, text: 'x' };
      await replyInThread.execute(context, input);
      expect(fake.provider.requests[0]?.body).toMatchObject({ thread_ts: FIRST });
      expect(await replyInThread.reconcile!(context, input)).toMatchObject({
        externalId: '1795262400.000002',
      });
      expect(await postMessage.reconcile!(context, input)).toBeNull();
    });
  });

  it.each(['1795262400', '1795262400.1', 'p1795262400000001'])(
    'sends nothing to a thread %j',
    async (thread) => {
      await inWorld(subject, async ({ fake, context }) => {
        const { details } = await failureOf(
          replyInThread.execute(context, { channel: CHANNEL, thread, text: 'x' }),
        );
        expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_message' });
        expect(fake.provider.requests).toEqual([]);
      });
    },
  );
});

describe('addReaction', () => {
  it('is done where it was done already', async () => {
    await inWorld(subject, async ({ context, effects }) => {
      const input = { channel: CHANNEL, message: FIRST, name: 'thumbsup' };
      const outcome = await addReaction.execute(context, input);
      expect(await addReaction.execute(context, input)).toEqual(outcome);
      expect(effects()).toBe(1);
    });
  });

  it('is of a message, and no issue', async () => {
    await inWorld(subject, async ({ context }) => {
      const { details } = await failureOf(addReaction.execute(context, { issue: '7', name: 'x' }));
      expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_channel' });
    });
  });
});

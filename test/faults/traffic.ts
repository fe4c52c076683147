import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { type Cut, followSignals } from '../../src/client/index.js';
import { type Hook, githubDelivery } from '../support/github.js';
import type { World } from './world.js';

/** What one fault came to. Of what follows `stored`, anything but the same number or zero is a loss or a lie. */
export interface Entry {
  readonly fault: string;
  /** Tries that were refused or had no answer; each was made again, as a provider does. */
  readonly repeated: number;
  /** Deliveries that were acknowledged and sent a second time all the same. */
  readonly duplicates: number;
  readonly acknowledged: number;
  readonly stored: number;
  /** By each subscriber. */
  readonly delivered: readonly number[];
  /** Acknowledged, and not stored or not by the id that was told. */
  readonly lost: number;
  /** Seen by a subscriber more than once, or in another order than stored. */
  readonly wrong: number;
  /** How often subscribers were cut off. */
  readonly cuts: number;
}

/** Senders and subscribers that write down everything. */
export interface Traffic {
  /** Resolves when so many more were acknowledged, or refused. */
  more(what: 'acknowledged' | 'repeated', by: number): Promise<void>;
  /** Stops sending, waits until everybody has everything, and compares. */
  settle(fault: string): Promise<Entry>;
}

const FROM_START = Buffer.from('signals:0').toString('base64url');
const LANES = 2;
/** Between two deliveries of a lane: steady, and light enough for a machine that does other things. */
const PACE_MS = 10;
const ANSWER_MS = 2_000;
const PATIENCE = { timeout: 60_000, interval: 100 };

export function startTraffic(world: World, hook: Hook): Traffic {
  const sender = createSender(world, hook);
  const subscribers = [() => 0, () => 1, () => Math.round(Math.random())].map((which) =>
    follow(world, which),
  );
  const begun = { repeated: 0, duplicates: 0, cuts: 0 };
  return {
    async more(what, by) {
      const before = sender.counts[what];
      sender.resume();
      await expect.poll(() => sender.counts[what] - before, PATIENCE).toBeGreaterThanOrEqual(by);
    },
    async settle(fault) {
      await sender.pause();
      const stored = await readStored(world);
      for (const { seen } of subscribers)
        await expect
          .poll(() => seen.length, { ...PATIENCE, message: fault })
          .toBeGreaterThanOrEqual(stored.length);
      const byId = new Set(stored);
      const cuts = subscribers.reduce((sum, subscriber) => sum + subscriber.cuts.length, 0);
      const { repeated, duplicates } = sender.counts;
      const entry: Entry = {
        fault,
        repeated: repeated - begun.repeated,
        duplicates: duplicates - begun.duplicates,
        acknowledged: sender.acknowledged.size,
        stored: stored.length,
        delivered: subscribers.map(({ seen }) => seen.length),
        lost:
          [...sender.acknowledged.values()].filter((id) => !byId.has(id)).length + sender.contradictions(),
        wrong: subscribers.filter(({ seen }) => seen.join() !== stored.join()).length,
        cuts: cuts - begun.cuts,
      };
      Object.assign(begun, { repeated, duplicates, cuts });
      return entry;
    },
  };
}

/** Ids in the order of the feed. */
async function readStored({ postgres }: World): Promise<string[]> {
  const rows = await postgres.database.query<{ id: string }>('select id from signals order by sequence');
  return rows.map(({ id }) => id);
}

function createSender(world: World, hook: Hook) {
  const path = new URL(hook.url).pathname;
  const acknowledged = new Map<string, string>();
  const counts = { acknowledged: 0, repeated: 0, duplicates: 0 };
  const stop = new AbortController();
  let running: Promise<void>[] = [];
  const state = { isPaused: true };
  let contradictions = 0;
  let next = 0;

  /** The id of the signal; undefined when nobody took it. */
  async function post(n: number, api: 0 | 1): Promise<string | undefined> {
    const payload = {
      action: 'opened',
      issue: { id: n, number: n, title: `Issue ${n}` },
      repository: { full_name: 'acme/x' },
    };
    const { body, headers } = await githubDelivery('issues', payload, hook.secret, `delivery-${n}`);
    try {
      const url = `http://127.0.0.1:${world.apis[api].front.port}${path}`;
      const request = {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(ANSWER_MS),
      };
      const response = await fetch(url, request);
      const answer = (await response.json()) as { signals?: readonly string[] };
      return response.ok ? answer.signals?.[0] : undefined;
    } catch {
      return undefined;
    }
  }

  /** To one API process and the other in turn until one has taken it. */
  async function send(n: number): Promise<void> {
    for (let attempt = n; !stop.signal.aborted; attempt += 1) {
      const id = await post(n, (attempt % 2) as 0 | 1);
      if (id !== undefined) {
        const key = `delivery-${n}`;
        if (acknowledged.has(key)) counts.duplicates += 1;
        else counts.acknowledged += 1;
        // The same delivery must always be told as the same signal.
        if ((acknowledged.get(key) ?? id) !== id) contradictions += 1;
        acknowledged.set(key, id);
        return;
      }
      counts.repeated += 1;
      await delay(PACE_MS);
    }
  }

  async function runLane(): Promise<void> {
    while (!state.isPaused && !stop.signal.aborted) {
      const n = (next += 1);
      await send(n);
      if (n % 5 === 0) await send(n);
      await delay(PACE_MS);
    }
  }

  onTestFinished(async () => {
    stop.abort();
    await Promise.all(running);
  });
  return {
    acknowledged,
    counts,
    contradictions: () => contradictions,
    resume() {
      if (!state.isPaused) return;
      state.isPaused = false;
      running = Array.from({ length: LANES }, runLane);
    },
    async pause() {
      state.isPaused = true;
      await Promise.all(running);
    },
  };
}

/** A subscriber from the very beginning, that asks `which` API process to connect to each time. */
function follow(world: World, which: () => number) {
  const seen: string[] = [];
  const cuts: Cut[] = [];
  const abort = new AbortController();
  const stream = followSignals<{ readonly id: string; readonly cursor: string }>({
    url: () => `ws://127.0.0.1:${world.apis[which() as 0 | 1].front.port}/graphql`,
    token: () => world.token,
    query: 'subscription ($after: Cursor) { signalReceived(after: $after) { id cursor } }',
    after: FROM_START,
    abort: abort.signal,
    silenceMs: 5_000,
    longestWaitMs: 1_000,
    onCut: (cut) => void cuts.push(cut),
  });
  const ended = (async () => {
    for await (const { id } of stream) seen.push(id);
  })();
  onTestFinished(async () => {
    abort.abort();
    await ended;
  });
  return { seen, cuts };
}

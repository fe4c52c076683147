import { inject } from 'vitest';
import type { Action } from '../../src/action/action.entity.js';
import { TributaryError } from '../../src/core/errors.js';
import { type TestApp, startTestApp } from './app.js';
import { createTestClock } from './clock.js';
import type { FakeExample } from './fake-example.js';
import { sendEvent } from './mendable.js';
import { type Fate, type Script, followScript } from './story-fates.js';
import { type Line, startLine } from './story-servers.js';
import { HOUR, MINUTE, type Story, actionsOf, beginStory, pass, unlimited, work } from './story.js';

export type Verb = 'createIssue' | 'addIssueComment';

/** One step of a run. `fates` are those of the requests that follow from it, in their order; then all is well. */
export type Command =
  | { readonly do: 'act'; readonly verb: Verb; readonly key: number; readonly fates: readonly Fate[] }
  | { readonly do: 'die over an action'; readonly verb: Verb; readonly isDone: boolean }
  | { readonly do: 'poll'; readonly fates: readonly Fate[] }
  | { readonly do: 'happen'; readonly count: number }
  | { readonly do: 'tell'; readonly event: number; readonly times: number }
  | { readonly do: 'wait'; readonly minutes: number }
  /** So far ahead of the provider's, which nobody sets; below zero: behind. */
  | { readonly do: 'set the clock'; readonly hours: number }
  | { readonly do: 'die' }
  | { readonly do: 'lose Redis' }
  | { readonly do: 'find Redis' };

/** Everything that one run needs, begun anew for each, so that it says the same whenever it is run again. */
export interface World {
  run(command: Command): Promise<void>;
  /** No more faults: goes on until nothing is left to do, or throws. Then the claims of {@link check} must hold. */
  calm(): Promise<void>;
  /** Throws for the first promise that was not kept. */
  check(): Promise<void>;
  close(): Promise<void>;
}

interface Process {
  readonly app: TestApp;
  readonly database: Line;
}

const CALM_ROUNDS = 80;

export async function createWorld(): Promise<World> {
  const closing: (() => Promise<unknown>)[] = [];
  const onEnd = (close: () => Promise<unknown>): void => void closing.unshift(close);
  const [clock, theirs] = [createTestClock(), createTestClock()];
  const redis = await startLine(() => Number(new URL(inject('redisUrl')).port || 6379));
  const firstLine = await startLine(postgresPort);
  onEnd(() => redis.close());
  onEnd(() => firstLine.close());
  const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
  const first = await beginStory({ clock, theirs, env, onEnd, app: { via: through(firstLine) } });
  const { fake, caller, hook } = first;
  const provider = followScript(fake, clock);
  const dead: Process[] = [];
  const answers = new Map<string, string>();
  let current: Process = { app: first.app, database: firstLine };
  let deaths = 0;
  let hoursAhead = 0;

  const story = (): Story => ({ ...first, app: current.app });
  const services = () => current.app.app.services;

  /** kill -9, as far as the world can tell: what it still wanted to write is not written. */
  async function die(): Promise<void> {
    current.database.cut();
    dead.push(current);
    const line = await startLine(postgresPort);
    onEnd(() => line.close());
    const base = { TRIBUTARY_PROVIDER_EXAMPLE_BASE_URL: fake.provider.url };
    const options = { clock, connectors: [unlimited], env: { ...base, ...env }, via: through(line) };
    const app = await startTestApp({ ...options, beside: first.app });
    onEnd(() => app.close());
    current = { app, database: line };
  }

  function setClock(hours: number): void {
    clock.advance((hours - hoursAhead) * HOUR);
    hoursAhead = hours;
  }

  function execute(verb: Verb, name: string, waitSeconds: number): Promise<Action> {
    const input =
      verb === 'createIssue'
        ? { project: 'DEMO', title: name }
        : { project: 'DEMO', issue: 'DEMO-1', body: name };
    const { connectionId } = hook;
    const command = { connectionId, verb, input, idempotencyKey: name, correlationId: name, waitSeconds };
    return services().actions.execute(caller, command);
  }

  async function act(verb: Verb, name: string): Promise<void> {
    const action = await execute(verb, name, 60).catch(ignoreNotReady);
    if (!action) return;
    if ((answers.get(name) ?? action.id) !== action.id)
      throw new Error(`${name} was answered by two actions`);
    answers.set(name, action.id);
  }

  /** By webhook, as often as that; each time as a delivery of its own. */
  async function tell(index: number, times: number): Promise<void> {
    const events = fake.events.slice(1);
    const event = events[index % events.length];
    if (!event) return;
    const url = hook.url.replace(new URL(hook.url).origin, current.app.url);
    for (let n = 0; n < times; n += 1) await sendEvent({ ...hook, url }, event, undefined, clock.now());
  }

  async function dieOver(verb: Verb, isDone: boolean): Promise<void> {
    const name = `death-${(deaths += 1)}`;
    const held = provider.hold(name, isDone);
    const begun = await execute(verb, name, 0).catch(ignoreNotReady);
    if (!begun) return;
    await Promise.race([held.waits, services().actions.drain()]);
    const { actions } = services();
    await die();
    held.cut();
    await actions.drain();
  }

  async function run(command: Command): Promise<void> {
    switch (command.do) {
      case 'act': {
        const name = `${command.verb}-${command.key}`;
        if (!answers.has(name)) provider.plan(name, command.fates);
        return act(command.verb, name);
      }
      case 'die over an action':
        return dieOver(command.verb, command.isDone);
      case 'poll':
        provider.plan(null, command.fates);
        await services().polls.pollNow(caller, { connectionId: hook.connectionId }).catch(ignoreNotReady);
        return void (await services().polls.runDue(5));
      case 'happen':
        return fake.addIssues(command.count);
      case 'tell':
        return tell(command.event, command.times);
      case 'wait':
        provider.finishLate();
        theirs.advance(command.minutes * MINUTE);
        return work(story(), command.minutes * MINUTE);
      case 'set the clock':
        return setClock(command.hours);
      case 'die':
        return die();
      case 'lose Redis':
        return redis.cut();
      case 'find Redis':
        return redis.mend();
      default:
        return command satisfies never;
    }
  }

  async function isCalm(): Promise<boolean> {
    const open = (await actionsOf(story())).filter(({ status }) => !SETTLED.has(status));
    return open.length === 0 && (await signals(story())).length >= fake.events.length - 1;
  }

  return {
    run,
    async calm() {
      provider.forget();
      setClock(0);
      redis.mend();
      for (let round = 0; round < CALM_ROUNDS; round += 1) {
        provider.finishLate();
        await pass(story(), HOUR / 2);
        theirs.advance(HOUR / 2);
        const connection = await services().connections.verify(caller, hook.connectionId);
        if (connection.status === 'ACTIVE') await work(story());
        if (await isCalm()) return;
      }
      throw new Error(`after ${CALM_ROUNDS / 2} hours of calm something is still under way`);
    },
    check: () => check(story(), provider),
    async close() {
      for (const { app, database } of dead) {
        await app.app.services.actions.drain();
        database.mend();
      }
      for (const close of closing) await close();
    },
  };
}

/** After a 401 somebody has to look at the connection first; calm() does. */
function ignoreNotReady(error: unknown): undefined {
  if (!(error instanceof TributaryError) || error.code !== 'CONNECTION_NOT_READY') throw error;
}

const postgresPort = (): number => Number(new URL(inject('postgresUrl')).port || 5432);

function through({ port }: Line): (url: string) => string {
  return (text) => {
    const url = new URL(text);
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
}

const SETTLED: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'UNCONFIRMED', 'CANCELLED']);

/** Each by what it tells of. */
function signals({ app }: Pick<Story, 'app'>): Promise<{ identity: string }[]> {
  return app.database.query(
    `select content -> 'payload' -> 'comment' as comment, content -> 'payload' ->> 'issue_id' as issue, id as identity
     from signals`,
  );
}

async function check(story: Story, provider: Script): Promise<void> {
  for (const { idempotency_key: name, status, receipts } of await actionsOf(story)) {
    const effects = countEffects(story.fake, name);
    const claim = (isKept: boolean, promise: string): void => {
      if (!isKept)
        throw new Error(`${name}: ${promise} (${status}, ${effects} effects, ${receipts} receipts)`);
    };
    claim(SETTLED.has(status), 'is settled in the end');
    claim(effects <= 1, 'has one effect at most');
    claim(status !== 'SUCCEEDED' || effects === 1, 'succeeded, so it was done');
    claim(status !== 'FAILED' || effects === 0, 'failed, so it was not done');
    claim(status !== 'UNCONFIRMED' || provider.isDoubtful(name), 'is in doubt only after a lost answer');
    claim(receipts === 1, 'has one receipt');
  }
  const told = (await signals(story)).length;
  const happened = story.fake.events.length - 1;
  if (told !== happened) throw new Error(`${happened} things happened, and ${told} signals tell of them`);
}

function countEffects({ events }: FakeExample, name: string): number {
  return events.filter((event) => JSON.stringify(event).includes(JSON.stringify(name))).length;
}

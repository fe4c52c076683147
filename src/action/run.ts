import { v5 as uuidV5 } from 'uuid';
import type { ProviderCatalog } from '../connection/catalog.js';
import type { Connection } from '../connection/connection.entity.js';
import type { Opener } from '../connection/open.js';
import type {
  ActionContext,
  ActionSpec,
  Connector,
  JsonObject,
  ProviderRequest,
  Verb,
  VerbInput,
} from '../connector/index.js';
import { TributaryError } from '../core/errors.js';
import type { Log } from '../core/log.js';
import { inSpan, withCorrelation } from '../core/trace.js';
import type { Vault } from '../credential/vault.js';
import { Action } from './action.entity.js';
import type { Verdict } from './attempt.js';
import { type SettleDeps, settle, snakeCase } from './settle.js';
import type { Outcome } from './store.js';

export interface RunDeps extends SettleDeps {
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  readonly opener: Opener;
  readonly log: Log;
}

/** One way to try: the first time, or after an attempt whose end nobody saw. */
export type Attempt = (
  spec: ActionSpec<Verb>,
  context: ActionContext,
  input: VerbInput & JsonObject,
) => Promise<Verdict>;

/** Carries out attempts in the background, and lets callers wait for them. */
export interface Runner {
  /**
   * The caller holds the action's lease. Resolves with the outcome when it is written, or with null where none was:
   * the lease had passed to another process, or the attempt broke off. Never rejects.
   */
  start(action: Action, connection: Connection, attempt: Attempt): Promise<Outcome | null>;
  /** The action as it is when it no longer runs, or when the time is over. */
  wait(action: Action, seconds: number): Promise<Action>;
  /** Resolves when nothing of this process is under way. */
  drain(): Promise<void>;
}

/** How long a request may take that names no deadline of its own: that of src/outbound. */
const REQUEST_MS = 10_000;
/** What surrounds it. */
const AROUND_MS = 5_000;
/** How often an attempt of another process is looked for; it shows in the table alone. */
const LOOK_MS = 200;

export function createRunner(deps: RunDeps): Runner {
  const { db, vault, catalog, opener, log } = deps;
  const running = new Map<string, Promise<Outcome | null>>();

  /**
   * Whoever takes the action over when the lease ends must find nothing of ours still on its way. Asked of the
   * database: its clock is the one that the lease runs by, and the only one that all processes share.
   */
  async function requireLease(
    { id, tenantId, leaseOwner }: Action,
    { deadlineMs = REQUEST_MS }: ProviderRequest,
  ): Promise<void> {
    const { rows } = await db.doors.query<{ holds: boolean }>({
      name: 'action_lease_holds',
      text: 'select action_lease_holds($1, $2, $3, $4) as holds',
      values: [tenantId, id, leaseOwner, Math.ceil(deadlineMs) + AROUND_MS],
    });
    if (!rows[0]?.holds) throw new Error('the lease is too short for another request');
  }

  async function run(action: Action, connection: Connection, attempt: Attempt): Promise<Outcome | null> {
    const connector = catalog.require(action.providerId);
    const place = { tenantId: action.tenantId, id: action.id, field: 'action_input' } as const;
    const sealedInput = await vault.openSecret(action.sealedInput, place);
    const input = JSON.parse(sealedInput.reveal()) as VerbInput & JsonObject;
    const { actor, correlationId } = action;
    const accessor = { actor, purpose: 'action', correlationId };
    // Asked for each request by itself, as waiting for a token takes longer than what is left of a lease.
    const operation = `action.${snakeCase(action.verb)}`;
    const options = { operation, beforeSend: (request: ProviderRequest) => requireLease(action, request) };
    const { context } = await opener.open(connection, connector, accessor, options);
    const verdict = await attempt(requireSpec(connector, action.verb), toContext(context, action), input);
    return inSpan('action settle', {}, () => settle(deps, action, input, verdict));
  }

  return {
    start(action, connection, attempt) {
      const work = under(action, () => run(action, connection, attempt))
        // The lease runs out and another attempt looks at it: a bug here costs time and loses nothing.
        .catch((error: unknown) => {
          log.error({ err: error, actionId: action.id }, 'action: attempt broke off');
          return null;
        })
        .finally(() => running.get(action.id) === work && running.delete(action.id));
      running.set(action.id, work);
      return work;
    },
    async wait(action, seconds) {
      const deadline = performance.now() + seconds * 1000;
      let current = action;
      while (current.status === 'RUNNING') {
        const left = deadline - performance.now();
        if (left <= 0) break;
        const work = running.get(action.id);
        const outcome = await within(work ?? NEVER, work ? left : Math.min(left, LOOK_MS));
        if (outcome) return Object.assign(current, outcome);
        current = await db.for(action).findOneOrFail(Action, { id: action.id });
      }
      return current;
    },
    async drain() {
      await Promise.all(running.values());
    },
  };
}

/** Whichever process makes the attempt, and whenever: it belongs to the trace and the id it was asked for under. */
function under(action: Action, attempt: () => Promise<Outcome | null>): Promise<Outcome | null> {
  const { id, verb, providerId, connectionId, attempts, correlationId, traceparent } = action;
  const attributes = {
    'tributary.action_id': id,
    'tributary.provider': providerId,
    'tributary.connection_id': connectionId,
    'tributary.attempt': attempts,
    'tributary.correlation_id': correlationId,
  };
  return withCorrelation(correlationId, () =>
    inSpan(`action ${verb}`, { attributes, parent: { traceparent: traceparent ?? undefined } }, attempt),
  );
}

/** Throws UNSUPPORTED when the provider has no such verb. */
export function requireSpec({ actions = {}, manifest }: Connector, verb: Verb): ActionSpec<Verb> {
  const spec = actions[verb];
  if (spec) return spec;
  throw new TributaryError('UNSUPPORTED', `${manifest.name} has no ${verb}.`);
}

function toContext(
  context: Pick<ActionContext, 'settings' | 'request'>,
  { id, nonce, createdAt, beganAt }: Action,
): ActionContext {
  // The earlier of two clocks: where ours ran ahead, the provider's effect would seem to be older than the attempt.
  const startedAt = beganAt && beganAt < createdAt ? beganAt : createdAt;
  const actionId = nonce === 0 ? id : uuidV5(String(nonce), id);
  return { ...context, actionId, marker: `<!-- tributary:action:${id} -->`, startedAt };
}

const NEVER = new Promise<null>(() => {});

/** What the work comes to; null when the time is over before. */
async function within<T>(work: Promise<T>, milliseconds: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), milliseconds);
  });
  const result = await Promise.race([work, timeout]);
  clearTimeout(timer);
  return result;
}

import {
  type ActionContext,
  type ActionOutcome,
  type ActionSpec,
  type FailureCategory,
  ProviderFailure,
  type Verb,
  type VerbInput,
} from '../connector/index.js';

/**
 * What one attempt came to. `unknown`: the effect may or may not be there, and looking did not find it. `unconfirmed`:
 * the same, for good, as nothing that could be done would tell.
 */
export type Verdict =
  | { readonly kind: 'done'; readonly outcome: ActionOutcome }
  | { readonly kind: 'failed'; readonly failure: ProviderFailure }
  | { readonly kind: 'unknown' | 'unconfirmed'; readonly failure: ProviderFailure };

/**
 * Sends once. When the answer is lost it looks for the effect, but does not send again: the request may still be on
 * its way through the provider, and looking too early would find nothing.
 */
export async function firstAttempt<V extends Verb>(
  spec: ActionSpec<V>,
  context: ActionContext,
  input: VerbInput<V>,
): Promise<Verdict> {
  const verdict = await send(spec, context, input);
  if (verdict.kind !== 'unknown') return verdict;
  if (spec.idempotency === 'AT_MOST_ONCE') return { ...verdict, kind: 'unconfirmed' };
  if (!spec.reconcile) return verdict;
  const found = await look(spec, context, input);
  return found === 'absent' ? verdict : found;
}

/**
 * After the lease of an attempt whose effect is unknown has run out. By then nothing of it is on its way any more, so
 * what is not there will not come, and sending again can't double it.
 */
export async function laterAttempt<V extends Verb>(
  spec: ActionSpec<V>,
  context: ActionContext,
  input: VerbInput<V>,
  earlier: ProviderFailure,
): Promise<Verdict> {
  if (spec.idempotency === 'AT_MOST_ONCE') return { kind: 'unconfirmed', failure: earlier };
  if (spec.reconcile) {
    const found = await look(spec, context, input);
    return found === 'absent' ? send(spec, context, input) : found;
  }
  const verdict = await send(spec, context, input);
  // Who could not be asked, or did not let us in, has not said what became of the request before.
  return verdict.kind === 'failed' && !JUDGED.has(verdict.failure.details.category)
    ? { ...verdict, kind: 'unknown' }
    : verdict;
}

/** The provider looked at the request itself, and by its key would have known it. */
const JUDGED: ReadonlySet<FailureCategory> = new Set(['INVALID', 'NOT_FOUND']);

async function send<V extends Verb>(
  spec: ActionSpec<V>,
  context: ActionContext,
  input: VerbInput<V>,
): Promise<Verdict> {
  // What fails after a request that may have changed something has not failed to change it.
  let hasWritten = false;
  const watched: ActionContext = {
    ...context,
    async request(asked) {
      const response = await context.request(asked);
      if (asked.method !== 'GET') hasWritten = true;
      return response;
    },
  };
  try {
    return { kind: 'done', outcome: await spec.execute(watched, input) };
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return { kind: hasWritten || error.details.isAmbiguous ? 'unknown' : 'failed', failure: error };
  }
}

async function look<V extends Verb>(
  spec: ActionSpec<V>,
  context: ActionContext,
  input: VerbInput<V>,
): Promise<Verdict | 'absent'> {
  try {
    const outcome = await spec.reconcile?.(context, input);
    return outcome ? { kind: 'done', outcome } : 'absent';
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error;
    return { kind: 'unknown', failure: error };
  }
}

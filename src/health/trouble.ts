import type { Trouble } from '../incident/settle.js';
import { type EndingWebhook, type Facts, type StuckPoll, isCircuitOpen, isRefused } from './facts.js';
import { MIN_CALLS, UNHEALTHY_ABOVE } from './judge.js';

/** A call that was refused counts for so long. */
const REFUSAL_COUNTS_MS = 5 * 60_000;

/** What somebody should know of a connection at this moment. */
export function troublesOf(facts: Facts, now: Date): readonly Trouble[] {
  if (facts.connection_status === 'DELETED') return [];
  const troubles: readonly (Trouble | false)[] = [
    isRefused(facts) && {
      kind: 'CREDENTIALS_EXPIRED',
      message: facts.status_message ?? 'The connection can’t be used until its credential is mended.',
    },
    isCircuitOpen(facts, now) && {
      kind: 'CIRCUIT_OPEN',
      message:
        `The provider fails again and again and is left in peace for a while. ${lastError(facts)}`.trim(),
    },
    isFailing(facts) && {
      kind: 'REPEATED_FAILURE',
      message:
        `${facts.errors_lately} of ${facts.requests_lately} calls within five minutes failed. ${lastError(facts)}`.trim(),
    },
    isRecent(facts.limit_refused_at, now) && {
      kind: 'LIMIT_EXHAUSTED',
      message: 'Calls wait because the provider’s limits are used up, or it asked for a pause.',
    },
    facts.stuck_polls !== null && { kind: 'POLLS_FAILING', message: toPollMessage(facts.stuck_polls) },
    facts.ending_webhooks !== null && {
      kind: 'WEBHOOK_ENDING',
      message: toWebhookMessage(facts.ending_webhooks),
    },
  ];
  return troubles.filter((trouble) => trouble !== false);
}

function isFailing({ requests_lately: requests, errors_lately: errors }: Facts): boolean {
  return requests >= MIN_CALLS && errors / requests > UNHEALTHY_ABOVE;
}

function isRecent(refusedAt: string | null, now: Date): boolean {
  return refusedAt !== null && now.getTime() - Date.parse(refusedAt) < REFUSAL_COUNTS_MS;
}

function lastError({ recent_errors: [newest] }: Facts): string {
  return newest ? `It said last: ${newest.message}` : '';
}

function toPollMessage([first, ...others]: readonly StuckPoll[]): string {
  if (!first) return 'Polls fail again and again.';
  const more = others.length > 0 ? ` So do those of ${others.length} more.` : '';
  return `Polls of “${first.title}” have failed ${first.failures} times in a row.${more} It said last: ${first.message}`;
}

function toWebhookMessage([first, ...others]: readonly EndingWebhook[]): string {
  if (!first) return 'A webhook can’t be renewed.';
  const more = others.length > 0 ? ` So do ${others.length} more.` : '';
  const at = new Date(first.ends_at).toISOString();
  return `A webhook ends at the provider at ${at}, and renewing it has failed ${first.failures} times.${more} It said last: ${first.message}`;
}

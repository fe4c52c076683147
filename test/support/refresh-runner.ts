/** A process of its own that asks for the tokens of one connection whenever its parent says so, by IPC. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../../src/connection/connection.entity.js';
import type { OAuth } from '../../src/connector/index.js';
import { systemClock } from '../../src/core/clock.js';
import { openDb } from '../../src/core/db.js';
import { createLog } from '../../src/core/log.js';
import { Secret } from '../../src/core/secret.js';
import { type CredentialKey, createLeaseStore } from '../../src/credential/oauth/lease.js';
import { createOAuthClient } from '../../src/credential/oauth/protocol.js';
import { type RefreshOutcome, createRefresher } from '../../src/credential/oauth/refresh.js';
import { migrations } from '../../src/migrations/index.js';
import { createHttpClient } from '../../src/outbound/client.js';
import { createEgressPolicy } from '../../src/outbound/egress.js';
import { plainSealer } from './oauth-credentials.js';

/** The one argument of the process, as JSON. */
export interface RunnerOptions {
  readonly databaseUrl: string;
  readonly key: CredentialKey;
  readonly oauth: OAuth;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly leaseMs: number;
  readonly deadlineMs: number;
}

/** From the parent: ask, so many milliseconds from now. */
export interface RunnerOrder {
  readonly delayMs: number;
}

/** To the parent. `sending`: this process is the one that makes the exchange, and does so now. */
export type RunnerReport =
  | { readonly what: 'started' | 'sending' }
  | {
      readonly what: 'outcome';
      readonly kind: RefreshOutcome['kind'];
      readonly version: number | null;
      readonly isRenewed: boolean;
    };

const options = JSON.parse(process.argv[2] ?? '') as RunnerOptions;
const log = createLog('warn');
const db = await openDb({ url: options.databaseUrl, entities: [Connection], migrations, log });
const client = createHttpClient({ egress: createEgressPolicy(['127.0.0.0/8']) });
const protocol = createOAuthClient({ client, clock: systemClock, deadlineMs: options.deadlineMs });
const refresher = createRefresher({
  store: createLeaseStore(db, options.leaseMs),
  sealer: plainSealer,
  clock: systemClock,
  log,
});
const app = { ...options, settings: {}, clientSecret: new Secret(options.clientSecret) };

function report(message: RunnerReport): void {
  process.send?.(message);
}

async function ask({ delayMs }: RunnerOrder): Promise<void> {
  await sleep(delayMs);
  const outcome = await refresher.tokensOf({
    ...options.key,
    rule: options.oauth.refreshToken,
    renew(tokens) {
      report({ what: 'sending' });
      return protocol.refresh(app, tokens);
    },
  });
  const isReady = outcome.kind === 'ready';
  const [version, isRenewed] = isReady ? [outcome.version, outcome.isRenewed] : [null, false];
  report({ what: 'outcome', kind: outcome.kind, version, isRenewed });
}

process.on('message', (order: RunnerOrder) => {
  ask(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit(0));
report({ what: 'started' });

import { z } from 'zod';
import type { Caller } from '../core/caller.js';
import { requireInput } from '../core/schema.js';
import { type Change, changeConnection, move, requireTransition } from './change.js';
import { type Connection, CredentialRecord, WebhookEndpoint } from './connection.entity.js';
import { forgetRegistrations, leaveProvider } from './registered-webhooks.js';
import type { VerifyDeps } from './verify.js';
import { OAuthFlow } from './oauth-app.entity.js';
import type { Revoker } from './revoke.js';
import type { RegistrationDeps } from './webhook-setup.js';

const text = (max: number) =>
  z.string().trim().min(1, 'must not be empty').max(max, `must be at most ${max} characters`);

/** What a person may call a connection, wherever it is set. */
export const labels = {
  name: text(100),
  description: text(1_000).nullish(),
  tags: z.array(text(50)).max(20, 'must be at most 20').nullish(),
};

const reasonText = z.string().trim().max(500, 'must be at most 500 characters').nullish();

/** See ConnectionService.suspend. */
export function suspendConnection(
  deps: VerifyDeps,
  caller: Caller,
  id: string,
  reason: string | null | undefined,
): Promise<Connection> {
  const why = requireInput(z.object({ reason: reasonText }), { reason }).reason;
  return changeConnection(deps, caller, id, ({ connection, now, attest }) => {
    if (connection.status === 'SUSPENDED') return connection;
    requireTransition(connection, 'suspended', 'suspended');
    const message = `${why ? `${why} ` : ''}Resume it to go on.`;
    move(connection, 'suspended', now, { code: 'suspended', message, since: now.toISOString() });
    attest('suspend', 'SUCCESS', { reason: why ?? null }, { status: connection.status });
    return connection;
  });
}

/** See ConnectionService.disconnect. The provider comes first, as long as there is a credential to ask it by. */
export async function disconnectConnection(
  deps: RegistrationDeps & { readonly revoker: Revoker },
  caller: Caller,
  existing: Connection,
): Promise<Connection> {
  const attempts = await leaveProvider(deps, caller, existing);
  const consent = await deps.revoker.revoke(existing, caller);
  return changeConnection(deps, caller, existing.id, async (change) => {
    const { connection, now, attest } = change;
    requireTransition(connection, 'disconnected', 'disconnected');
    const webhooks = await forgetRegistrations(change, attempts);
    await forgetSecrets(change);
    move(connection, 'disconnected', now, null);
    attest(
      'disconnect',
      'SUCCESS',
      {},
      {
        status: connection.status,
        ...(webhooks && { webhooks }),
        ...(consent && { consent }),
      },
    );
    return connection;
  });
}

async function forgetSecrets({ transaction, connection }: Change): Promise<void> {
  await transaction.nativeDelete(CredentialRecord, { connectionId: connection.id });
  await transaction.nativeDelete(WebhookEndpoint, { connectionId: connection.id });
  await transaction.nativeDelete(OAuthFlow, { connectionId: connection.id });
}

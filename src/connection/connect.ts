import { z } from 'zod';
import {
  type AuthMethod,
  type Capability,
  type Connector,
  authMethods,
  capabilities,
  capabilitiesOf,
} from '../connector/index.js';
import { TributaryError, invalidInput } from '../core/errors.js';
import { requireInput, requireValid } from '../core/schema.js';
import { labels } from './lifecycle.js';

const connectCommand = z.strictObject({
  providerId: z.string(),
  name: labels.name,
  description: labels.description,
  authMethod: z.enum(authMethods),
  credential: z.record(z.string(), z.unknown()).nullish(),
  settings: z.record(z.string(), z.unknown()).nullish(),
  returnTo: z.string().nullish(),
  capabilities: z.array(z.enum(capabilities)).min(1, 'must name at least one, or be left out').nullish(),
  tags: labels.tags,
});

/** What `connect` takes, whether it comes by GraphQL or REST. */
export type ConnectCommand = z.input<typeof connectCommand>;

/** A connect command that its provider accepts; its credential is still to be checked. */
export type CheckedConnect = ReturnType<typeof checkConnect>;

/** Checks shape first, then what the provider's manifest says. Throws INVALID_INPUT or UNSUPPORTED. */
export function checkConnect(command: ConnectCommand, connector: Connector) {
  const checked = requireInput(connectCommand, command);
  const { manifest } = connector;
  if (!manifest.authMethods.includes(checked.authMethod)) {
    const offered = manifest.authMethods.join(', ');
    throw new TributaryError(
      'UNSUPPORTED',
      `${manifest.name} can’t be connected by ${checked.authMethod}; use ${offered}.`,
    );
  }
  const settings = checked.settings ?? {};
  requireValid(manifest.settingsSchema, settings, 'settings');
  return {
    name: checked.name,
    description: checked.description ?? null,
    authMethod: checked.authMethod,
    credential: requireGiven(checked.authMethod, checked.credential ?? null),
    returnTo: requireConsent(checked.authMethod, checked.returnTo ?? null),
    settings,
    capabilities: requireCapabilities(connector, checked.capabilities ?? undefined),
    tags: [...new Set(checked.tags)],
  };
}

/** Null where a person consents instead. */
function requireGiven(
  method: AuthMethod,
  credential: Readonly<Record<string, unknown>> | null,
): Readonly<Record<string, unknown>> | null {
  if (method !== 'OAUTH2') return credential ?? {};
  if (credential === null) return null;
  throw invalidInput(
    'credential',
    'must be left out: a person consents at the provider, by authorizationUrl',
  );
}

/** Nobody is sent anywhere without a consent: what stands here then may be meant for another field. */
function requireConsent(method: AuthMethod, returnTo: string | null): string | null {
  if (method === 'OAUTH2' || returnTo === null) return returnTo;
  throw invalidInput('returnTo', 'must be left out: no browser is sent anywhere');
}

function requireCapabilities(connector: Connector, wanted: readonly Capability[] | undefined): Capability[] {
  const offered = capabilitiesOf(connector);
  const missing = wanted?.find((capability) => !offered.includes(capability));
  if (missing)
    throw invalidInput(
      'capabilities',
      `${connector.manifest.name} has no ${missing}; it has ${offered.join(', ')}`,
    );
  return [...new Set(wanted ?? offered)];
}

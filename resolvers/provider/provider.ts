import { type Connector, type Verb, capabilitiesOf, verbSchemas } from '../../src/connector/index.js';
import { credentialSchemaOf, hasOwnSchema } from '../../src/connection/credential.js';
import type { ActionDefinition, IntegrationProvider } from './type.js';

/** A connector as the catalogue shows it: its manifest and what follows from its parts. */
export function toProvider(connector: Connector): IntegrationProvider {
  return {
    ...connector.manifest,
    capabilities: capabilitiesOf(connector),
    credentialSchemas: connector.manifest.authMethods
      .filter((method) => hasOwnSchema(connector, method))
      .map((authMethod) => ({ authMethod, schema: credentialSchemaOf(connector, authMethod) })),
    actions: toActionDefinitions(connector),
    webhookTargetSchema: connector.webhook?.registration?.targetSchema ?? null,
  };
}

function toActionDefinitions({ actions = {} }: Connector): ActionDefinition[] {
  return Object.entries(actions).map(([verb, spec]) => ({
    type: verb,
    title: spec.title,
    description: spec.description,
    inputSchema: verbSchemas[verb as Verb],
    outputSchema: spec.outputSchema,
    requiredScopes: spec.requiredScopes,
    idempotency: spec.idempotency,
  }));
}

import { type Connector, type Verb, capabilitiesOf, verbSchemas } from '../../src/connector/index.js';
import type { ActionDefinition, IntegrationProvider } from './type.js';

/** A connector as the catalogue shows it: its manifest and what follows from its parts. */
export function toProvider(connector: Connector): IntegrationProvider {
  return {
    ...connector.manifest,
    capabilities: capabilitiesOf(connector),
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

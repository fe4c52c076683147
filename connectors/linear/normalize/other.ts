import type { Rule } from '../../../src/connector/index.js';
import { around, thing } from './parts.js';

/**
 * The rule for every event that no rule names: projects, cycles, labels, documents, and what Linear comes to have. A
 * `provider_event` without an identity of its own, from which nothing can be missing.
 */
export function otherRule(): Rule {
  return { on: [], type: 'provider_event', at: 'createdAt', parts: [around, thing] };
}

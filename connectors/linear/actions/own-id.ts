import { createHash } from 'node:crypto';
import { type ActionContext, type ActionOutcome, ProviderFailure, at } from '../../../src/connector/index.js';
import { query } from '../graphql.js';

/**
 * The id under which an action makes its thing, a UUID v4 in form: Linear takes ids of the client's, and refuses a second
 * thing of the same id. The same action has the same id in every attempt.
 */
export function ownId({ actionId }: ActionContext): string {
  const bytes = createHash('sha256').update(`linear:${actionId}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Where something under our id is looked for, and what makes it an outcome. */
export interface Lookup {
  readonly document: string;
  readonly field: string;
  readonly toOutcome: (found: unknown) => ActionOutcome | undefined;
}

/**
 * Creates under our id. How Linear words the refusal of a second one is not documented: whatever was refused as invalid is
 * looked for by the id, and found where an earlier attempt has made it.
 */
export async function createOnce(
  context: ActionContext,
  create: () => Promise<ActionOutcome>,
  lookup: Lookup,
): Promise<ActionOutcome> {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof ProviderFailure) || !mayBeThere(error)) throw error;
    const found = await find(context, lookup);
    if (!found) throw error;
    return found;
  }
}

function mayBeThere({ details: { category, isAmbiguous } }: ProviderFailure): boolean {
  return !isAmbiguous && (category === 'INVALID' || category === 'NOT_FOUND');
}

async function find(
  context: ActionContext,
  { document, field, toOutcome }: Lookup,
): Promise<ActionOutcome | undefined> {
  try {
    return toOutcome(at(await query(context, document, { id: ownId(context) }), field));
  } catch (error) {
    // Not there, or not to be seen: then the first refusal stands.
    if (error instanceof ProviderFailure && mayBeThere(error)) return undefined;
    throw error;
  }
}

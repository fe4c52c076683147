import { type Mapping, MappingError, type SignalDraft, uniqueDrafts } from '../../src/connector/index.js';
import { readDraft } from './draft.js';
import type { Settings } from './settings.js';

const MAX_SIGNALS = 100;

/** One expression makes all signals of an event: an object, a list of them, or nothing. */
export const mapping: Mapping = {
  expressionOf(settings) {
    const { mapping: text } = settings as Settings;
    return text === undefined ? undefined : { path: 'mapping', text };
  },

  bindingsOf: ({ id, type, receivedAt }) => ({ event: { id, type, receivedAt: receivedAt.toISOString() } }),

  toDrafts(made) {
    const list = made === undefined || made === null ? [] : [made].flat();
    if (list.length > MAX_SIGNALS) {
      const problem = `must be at most ${MAX_SIGNALS} signals, not ${list.length}`;
      throw new MappingError([{ path: '', problem }]);
    }
    const read = list.map((one, index) => readDraft(one, Array.isArray(made) ? `[${index}]` : ''));
    const problems = read.flatMap((found) => ('problems' in found ? found.problems : []));
    if (problems.length > 0) throw new MappingError(problems);
    return uniqueDrafts(
      read.flatMap((found): readonly SignalDraft[] => ('draft' in found ? [found.draft] : [])),
    );
  },
};

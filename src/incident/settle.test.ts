import fc from 'fast-check';
import { expect, it } from 'vitest';
import { incidentKinds } from './incident.entity.js';
import { type OpenIncident, QUIET_MS, planIncidents } from './settle.js';

const MINUTE_MS = 60_000;
const [kind] = incidentKinds;

it('one incident for as long as its cause is never gone for five minutes', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 120 }), (isWrongIn) => {
      let open: OpenIncident | undefined;
      let lastWrong = -Infinity;
      for (const [minute, isWrong] of isWrongIn.entries()) {
        const now = new Date(minute * MINUTE_MS);
        const troubles = isWrong ? [{ kind, message: 'Down' }] : [];
        const plan = planIncidents(open ? [open] : [], troubles, now);
        expect(plan.opening).toHaveLength(isWrong && !open ? 1 : 0);
        const quietFor = (minute - lastWrong - 1) * MINUTE_MS;
        expect(plan.resolving).toHaveLength(open && !isWrong && quietFor >= QUIET_MS ? 1 : 0);
        if (isWrong) lastWrong = minute;
        if (plan.opening.length > 0) open = { id: '1', kind, quiet_since: null };
        else if (plan.resolving.length > 0) open = undefined;
        else if (open && plan.quieting.length > 0) open = { ...open, quiet_since: now.toISOString() };
        else if (open && plan.returning.length > 0) open = { ...open, quiet_since: null };
      }
    }),
  );
});

it('kinds are told apart', () => {
  const [one, other] = incidentKinds;
  const open: OpenIncident[] = [{ id: '1', kind: one, quiet_since: null }];
  const plan = planIncidents(open, [{ kind: other, message: 'Other' }], new Date(), 0);
  expect(plan).toMatchObject({
    opening: [{ kind: other }],
    resolving: [{ kind: one }],
    quieting: [],
    returning: [],
  });
});

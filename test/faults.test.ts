import { afterAll, beforeAll, expect, it } from 'vitest';
import { longForm, shortForm } from './faults/faults.js';
import { type Entry, startTraffic } from './faults/traffic.js';
import { startWorld } from './faults/world.js';
import { connectGitHub } from './support/github.js';
import { type Program, buildProgram } from './support/process.js';

// Real processes over real servers, under steady load, while one thing after the other breaks. `npm run faults` is the
// long form and prints the ledger.

const isLong = process.env['FAULTS'] === 'long';
const SOME = isLong ? 40 : 15;

let program: Program;
beforeAll(async () => {
  program = await buildProgram();
});
afterAll(() => program.remove());

function print({ fault, delivered, ...counts }: Entry): void {
  const numbers = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  process.stdout.write(`${fault}: ${numbers.join(', ')}, delivered ${delivered.join(' ')}\n`);
}

it(
  'whatever breaks, what was acknowledged is stored, and every subscriber is told each once and in order',
  async () => {
    const world = await startWorld(program, isLong);
    if (isLong && !world.disk) process.stdout.write('full disk: not run, as only root may mount one\n');
    const traffic = startTraffic(world, await connectGitHub(world.caller));
    for (const fault of isLong ? longForm(world.disk !== undefined) : shortForm()) {
      await traffic.more('acknowledged', SOME);
      await fault.strike(world);
      await traffic.more(fault.during, fault.during === 'repeated' ? 3 : SOME);
      await fault.mend(world);
      await traffic.more('acknowledged', SOME);
      const entry = await traffic.settle(fault.name);
      if (isLong) print(entry);
      const { acknowledged, stored } = entry;
      expect(entry).toMatchObject({
        lost: 0,
        wrong: 0,
        stored: acknowledged,
        delivered: [stored, stored, stored],
      });
    }
  },
  isLong ? 1_800_000 : 150_000,
);

import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTurn } from './turn.js';

describe('a turn of the event loop', () => {
  it('brings together who comes in it: each step is done for all of them before the next', async () => {
    const turn = createTurn();
    const steps: string[] = [];
    const work = async (name: string): Promise<void> => {
      steps.push(`${name} comes`);
      await turn();
      steps.push(`${name} 1`);
      await Promise.resolve();
      steps.push(`${name} 2`);
    };
    await Promise.all(['a', 'b', 'c'].map(work));
    expect(steps).toEqual('a comes,b comes,c comes,a 1,b 1,c 1,a 2,b 2,c 2'.split(','));
  });

  it('ends without whoever comes later', async () => {
    const turn = createTurn();
    const ended: string[] = [];
    const first = turn().then(() => ended.push('first'));
    await setImmediate();
    const second = turn().then(() => ended.push('second'));
    await first;
    expect(ended).toEqual(['first']);
    await second;
    expect(ended).toEqual(['first', 'second']);
  });
});

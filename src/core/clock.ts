/** Time as a dependency: tests bring a clock of their own, so that nothing has to wait. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

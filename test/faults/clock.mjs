// Imported by a Tributary under test (NODE_OPTIONS): each SIGUSR2 moves its clock by an hour, there and back again. Timers
// go on as they were, as when somebody sets a machine's time.
const HOUR_MS = 3_600_000;
const Real = Date;
let shiftMs = 0;

globalThis.Date = class extends Real {
  constructor(...args) {
    if (args.length === 0) super(Real.now() + shiftMs);
    else super(...args);
  }
  static now() {
    return Real.now() + shiftMs;
  }
};

process.on('SIGUSR2', () => {
  shiftMs = shiftMs === 0 ? HOUR_MS : 0;
});

/** A process of its own that sequences receipts without a pause, until it is killed. */
import { setImmediate as next } from 'node:timers/promises';
import { openReceipts } from './receipts.js';

const receipts = await openReceipts(process.argv[2] ?? '');
process.send?.('started');
for (;;) {
  if ((await receipts.services.sequencer.run()) > 0) process.send?.('sequenced');
  await next();
}

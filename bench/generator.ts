import autocannon from 'autocannon';
import { endWithParent } from './child.js';
import { createDeliveries } from './delivery.js';
import type { Load, LoadResult } from './load.js';

endWithParent();

process.on('message', (load: Load) => {
  void run(load).then((result) => process.send?.(result));
});

async function run({ urls, sort, secret, connections, amount, from, rate }: Load): Promise<LoadResult> {
  const nextDelivery = createDeliveries(sort, secret, from);
  const latencies = new Float64Array(amount);
  let answered = 0;
  let acknowledged = 0;
  let startedAt: number | undefined;
  let endedAt = 0;
  const running = autocannon({
    url: [...urls],
    connections,
    ...(rate && { overallRate: Math.round(rate) }),
    amount,
    sampleInt: 50,
    requests: [{ method: 'POST', setupRequest: (request) => ({ ...request, ...nextDelivery() }) }],
  });
  void running.on('response', (_client, statusCode, _bytes, milliseconds) => {
    endedAt = performance.now();
    startedAt ??= endedAt - milliseconds;
    latencies[answered++] = milliseconds;
    // Slack is answered 200, as it wants it.
    if (statusCode === 202 || statusCode === 200) acknowledged += 1;
  });
  const { requests, errors } = await running;
  return {
    // At a given rate autocannon counts what it had planned as well.
    sent: rate === undefined ? requests.sent : answered + errors,
    acknowledged,
    seconds: (endedAt - (startedAt ?? endedAt)) / 1000,
    latencies: latencies.subarray(0, answered),
  };
}

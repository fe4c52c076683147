import { type Poll, listAt } from '../../src/connector/index.js';
import { OVERLAP_SECONDS, pageOfBatches } from './poll/batches.js';
import { type Report, costReport, pageOfReport, usageReport } from './poll/reports.js';

/** By what settings name. */
const titles: Readonly<Record<string, string>> = {
  batches: 'Message batches',
  usage: 'Usage of messages, by day, workspace and model',
  cost: 'Cost, by day, workspace and line',
};
const reports: Readonly<Record<string, Report>> = { usage: usageReport, cost: costReport };

export const pollable = Object.keys(titles);

/** Anthropic keeps no log of what happened: a list and two reports are read instead. */
export const poll: Poll = {
  overlapSeconds: OVERLAP_SECONDS,

  streams: (settings) =>
    listAt(settings, 'poll').flatMap((name) => {
      const title = titles[String(name)];
      return title === undefined ? [] : [{ name: String(name), title }];
    }),

  page(context, request) {
    const report = reports[request.stream];
    return report ? pageOfReport(context, report, request) : pageOfBatches(context, request);
  },
};

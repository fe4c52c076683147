import { type Poll, listAt } from '../../src/connector/index.js';
import { type Jobs, batches, fineTuningJobs, readJobs } from './poll/jobs.js';
import { readReport } from './poll/reports.js';

const jobs: Readonly<Record<string, Jobs>> = { batches, fine_tuning_jobs: fineTuningJobs };

/** What settings may name, with the streams that each stands for. */
const streams: Readonly<Record<string, readonly { readonly name: string; readonly title: string }[]>> = {
  batches: [{ name: 'batches', title: 'Batches' }],
  fine_tuning_jobs: [{ name: 'fine_tuning_jobs', title: 'Fine-tuning jobs' }],
  usage: [
    { name: 'usage:completions', title: 'Usage of completions, by day and model' },
    { name: 'usage:embeddings', title: 'Usage of embeddings, by day and model' },
  ],
  costs: [{ name: 'costs', title: 'Costs, by day, project and line' }],
};

export const pollable = Object.keys(streams);

/** OpenAI keeps no log of what happened: its lists are read instead, as far back as something may still have ended. */
export const poll: Poll = {
  // Ends are dated by whole seconds, and a list may show them a moment late.
  overlapSeconds: 600,

  streams: (settings) => listAt(settings, 'poll').flatMap((name) => streams[String(name)] ?? []),

  async page(context, request) {
    const [name = '', kind = ''] = request.stream.split(':');
    const found = jobs[name];
    if (found) return readJobs(context, found, request, poll.overlapSeconds);
    if (name === 'usage') return readReport(context, kind, request);
    if (name === 'costs') return readReport(context, name, request);
    throw new Error(`OpenAI has no stream ${request.stream}`);
  },
};

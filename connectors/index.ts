import type { Connector } from '../src/connector/index.js';
import { anthropic } from './anthropic/index.js';
import { confluence } from './confluence/index.js';
import { generic } from './generic/index.js';
import { github } from './github/index.js';
import { gitlab } from './gitlab/index.js';
import { jira } from './jira/index.js';
import { linear } from './linear/index.js';
import { notion } from './notion/index.js';
import { openai } from './openai/index.js';
import { pagerduty } from './pagerduty/index.js';
import { slack } from './slack/index.js';

/** Every provider there is. A folder beside this file and a line here are all that a new one needs. */
export const connectors: readonly Connector[] = [
  anthropic,
  confluence,
  generic,
  github,
  gitlab,
  jira,
  linear,
  notion,
  openai,
  pagerduty,
  slack,
];

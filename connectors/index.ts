import type { Connector } from '../src/connector/index.js';
import { github } from './github/index.js';

/** Every provider there is. A folder beside this file and a line here are all that a new one needs. */
export const connectors: readonly Connector[] = [github];

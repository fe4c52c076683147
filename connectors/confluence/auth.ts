import { createAtlassianAuth } from '../../src/connector/index.js';
import { product, sites } from './site.js';

/** By OAuth or by API token, as Atlassian's products are. */
export const auth = createAtlassianAuth(product, sites);

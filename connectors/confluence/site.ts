import {
  type AtlassianProduct,
  type AtlassianSite,
  createAtlassianSites,
} from '../../src/connector/index.js';

export type Site = AtlassianSite;

/** Confluence among the products of Atlassian's cloud. */
export const product: AtlassianProduct = {
  name: 'Confluence',
  word: 'confluence',
  accountPath: '/wiki/rest/api/user/current',
};

/** Where a connection's Confluence is, and the way to it. */
export const sites = createAtlassianSites(product);

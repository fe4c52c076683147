import {
  type AtlassianProduct,
  type AtlassianSite,
  createAtlassianSites,
} from '../../src/connector/index.js';

export type Site = AtlassianSite;

/** Jira among the products of Atlassian's cloud. */
export const product: AtlassianProduct = {
  name: 'Jira',
  word: 'jira',
  accountPath: '/rest/api/3/myself',
};

/** Where a connection's Jira is, and the way to it. */
export const sites = createAtlassianSites(product);

import { notion } from '../../connectors/notion/index.js';
import { subject } from '../conformance/subjects/notion.js';
import { describeContract } from './describe.js';

const PAGES = 'https://developers.notion.com/reference';

describeContract({
  connector: notion,
  // Of 2021, and only a part of the API: connectors/notion/client.test.ts asks Notion's own client about the rest.
  description: 'notion/notion.apis-guru.json',
  base: '/v1',
  subject,
  isDated: true,
  elsewhere: {
    'POST /v1/search': `${PAGES}/post-search`,
    'POST /v1/pages': `${PAGES}/post-page`,
    'PATCH /v1/pages/{id}/markdown': `${PAGES}/update-page-markdown`,
  },
  excused: {
    'PATCH /v1/blocks/{id}/children request: body/children/*/heading_2/rich_text is not described':
      'called "text" until the version 2022-02-22',
  },
});

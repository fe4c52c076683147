import { slack } from '../../connectors/slack/index.js';
import { subject } from '../conformance/subjects/slack.js';
import { describeContract } from './describe.js';

const METADATA = 'https://docs.slack.dev/messaging/message-metadata';
const PAGES = 'https://docs.slack.dev/apis/web-api/pagination';
const REFUSALS = 'described as the answer to every other status, and sent with 200';

describeContract({
  connector: slack,
  description: 'slack/slack_web_openapi_v2.json',
  subject,
  // Of 2021, and archived since: metadata of messages came later.
  isDated: true,
  elsewhere: {
    // Described for GET alone; Slack takes both for every method, and prefers POST.
    'POST /auth.test': 'https://docs.slack.dev/reference/methods/auth.test',
  },
  excused: {
    'POST /chat.postMessage request: body field metadata is not described': METADATA,
    'GET /conversations.history request: query include_all_metadata is not described': METADATA,
    'GET /conversations.replies request: query include_all_metadata is not described': METADATA,
    'POST /chat.postMessage answer 200: /message/metadata is not described': METADATA,
    'GET /conversations.history answer 200: /messages/*/metadata is not described': METADATA,
    'GET /conversations.history answer 200: /response_metadata is not described': PAGES,
    'GET /conversations.replies answer 200: /response_metadata is not described': PAGES,
    'POST /reactions.add answer 200: /error is not described': REFUSALS,
    'POST /reactions.add answer 200: /ok must be equal to one of the allowed values: [true]': REFUSALS,
  },
});

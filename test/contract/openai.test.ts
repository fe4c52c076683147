import { openai } from '../../connectors/openai/index.js';
import { subject } from '../conformance/subjects/openai.js';
import { describeContract } from './describe.js';

const NULLS = 'the description’s own example has null here';

describeContract({
  connector: openai,
  description: 'openai/openapi.json.gz',
  subject,
  excused: {
    'GET /batches answer 200: /data/*/errors must be object': NULLS,
    'GET /batches answer 200: /data/*/completed_at must be integer': NULLS,
    'GET /batches answer 200: /data/*/failed_at must be integer': NULLS,
    'GET /batches answer 200: /data/*/expired_at must be integer': NULLS,
    'GET /batches answer 200: /data/*/cancelled_at must be integer': NULLS,
  },
});

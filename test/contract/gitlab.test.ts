import { gitlab } from '../../connectors/gitlab/index.js';
import { subject } from '../conformance/subjects/gitlab.js';
import { describeContract } from './describe.js';

const NOTES = 'https://docs.gitlab.com/api/notes/';
const MERGE_REQUESTS = 'https://docs.gitlab.com/api/merge_requests/';
const PIPELINES = 'https://docs.gitlab.com/api/pipelines/';
const COMMITS = 'https://docs.gitlab.com/api/commits/';

// The description knows issues and little else: it is not GitLab's own.
describeContract({
  connector: gitlab,
  description: 'gitlab/gitlab-v4.cjuenger.yaml',
  base: '/v4',
  subject,
  isDated: true,
  excused: {
    'GET /v4/projects/{id}/issues request: query per_page is not described':
      'https://docs.gitlab.com/api/rest/#offset-based-pagination',
  },
  elsewhere: {
    'GET /v4/user': 'https://docs.gitlab.com/api/users/',
    'GET /v4/users': 'https://docs.gitlab.com/api/users/',
    'GET /v4/personal_access_tokens/self': 'https://docs.gitlab.com/api/personal_access_tokens/',
    'POST /v4/projects/{id}/issues/{iid}/notes': NOTES,
    'GET /v4/projects/{id}/issues/{iid}/notes': NOTES,
    'POST /v4/projects/{id}/merge_requests/{iid}/notes': NOTES,
    'GET /v4/projects/{id}/merge_requests/{iid}/notes': NOTES,
    'GET /v4/projects/{id}/merge_requests': MERGE_REQUESTS,
    'GET /v4/projects/{id}/merge_requests/{iid}': MERGE_REQUESTS,
    'PUT /v4/projects/{id}/merge_requests/{iid}/merge': MERGE_REQUESTS,
    'POST /v4/projects/{id}/statuses/{sha}': COMMITS,
    'GET /v4/projects/{id}/repository/commits/{sha}/statuses': COMMITS,
    'POST /v4/projects/{id}/pipeline': PIPELINES,
    'GET /v4/projects/{id}/pipelines': PIPELINES,
    'GET /v4/projects/{id}/pipelines/{pipeline}': PIPELINES,
    'GET /v4/projects/{id}/events': 'https://docs.gitlab.com/api/events/',
  },
});

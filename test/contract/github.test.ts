import { triggerBuild } from '../../connectors/github/actions/builds.js';
import { github } from '../../connectors/github/index.js';
import { redeliver } from '../../connectors/github/redelivery.js';
import { registration } from '../../connectors/github/registration.js';
import { API_VERSIONS } from '../../connectors/github/version.js';
import { Secret } from '../../src/core/secret.js';
import { subject } from '../conformance/subjects/github.js';
import { NOW, inWorld } from '../conformance/world.js';
import { startFakeGitHub } from '../support/fake-github.js';
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.js';
import { describeContract } from './describe.js';

/** A workflow by the later version, and failed deliveries: none of them is the suite's. */
async function drive(provider: FakeProvider): Promise<void> {
  const [receiver, another] = await Promise.all([startFakeProvider(), startFakeGitHub({ now: () => NOW })]);
  const credential = { token: new Secret(another.token) };
  const start = async () => ({ provider, credential, crowd: () => undefined });
  const settings = { apiVersion: API_VERSIONS.later };
  await inWorld({ ...subject, provider: { ...subject.provider, settings, start } }, async ({ context }) => {
    await triggerBuild.execute(context, { repository: 'octo/demo', ref: 'main', workflow: 'ci.yml' });
    const wanted = { url: `${receiver.url}/hook`, secret: new Secret('of the hook'), events: ['push'] };
    const registered = await registration.register(context, {
      ...wanted,
      target: { repository: 'octo/demo' },
    });
    // GitHub's ping, which finds nobody there.
    await receiver.waitForRequest(() => true);
    await redeliver(context, registered, { cursor: null, since: new Date(0) });
  });
  await Promise.all([receiver.close(), another.provider.close()]);
}

describeContract({
  connector: github,
  description: 'github/api.github.com.json.gz',
  subject,
  drive,
  excused: {
    'GET /repos/{owner}/{repo}/actions/runs request: query created must match format "date-time"':
      'It takes a range, as its own description says: https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates',
  },
});

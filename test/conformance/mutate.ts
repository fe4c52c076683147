import {
  type ActionSpec,
  type Connector,
  type Poll,
  type PollPage,
  type PollRequest,
  type ProviderEvent,
  ProviderFailure,
  type ProviderRequest,
  type ProviderResponse,
  type RawDelivery,
  type SignalDraft,
  type Webhook,
  type WebhookRegistrar,
  verifyHmac,
} from '../../src/connector/index.js';
import type { Secret } from '../../src/core/secret.js';
import { subject } from './subjects/example.js';

// The example connector with one thing wrong with it.

export const { connector } = subject;
const { manifest, auth, webhook, poll, normalize, actions } = connector as Required<Connector>;
const createIssue = actions.createIssue!;

export const withManifest = (wrong: object): Connector => ({
  ...connector,
  manifest: { ...manifest, ...wrong },
});
export const withAuth = (wrong: Partial<Connector['auth']>): Connector => ({
  ...connector,
  auth: { ...auth, ...wrong },
});
export const withWebhook = (wrong: Partial<Webhook>): Connector => ({
  ...connector,
  webhook: { ...webhook, ...wrong },
});
export const withRegistration = (wrong: Partial<WebhookRegistrar>): Connector =>
  withWebhook({ registration: { ...webhook.registration!, ...wrong } });
/** register on a line that is changed on its way. */
export const withRegisterLine = (wrong: (sent: ProviderRequest) => ProviderRequest): Connector =>
  withRegistration({
    register: (context, wanted) =>
      webhook.registration!.register({ ...context, request: (sent) => context.request(wrong(sent)) }, wanted),
  });
export const withPoll = (wrong: Partial<Poll>): Connector => ({ ...connector, poll: { ...poll, ...wrong } });
/** The pages of a poll, changed on their way. */
export const withPage = (wrong: (page: PollPage, request: PollRequest) => object): Connector =>
  withPoll({
    async page(context, request) {
      const page = await poll.page(context, request);
      return { ...page, ...wrong(page, request) };
    },
  });
export const withNormalize = (wrong: (event: ProviderEvent) => readonly SignalDraft[]): Connector => ({
  ...connector,
  normalize: wrong,
});
export const withDraft = (wrong: (event: ProviderEvent) => object): Connector =>
  withNormalize((event) => normalize(event).map((draft) => ({ ...draft, ...wrong(event) })));
export const withCreateIssue = (wrong: Partial<ActionSpec<'createIssue'>>): Connector => ({
  ...connector,
  actions: { ...actions, createIssue: { ...createIssue, ...wrong } },
});
/** createIssue on a line that is changed on its way. */
export const withLine = (
  wrong: (request: () => Promise<ProviderResponse>, sent: ProviderRequest) => unknown,
): Connector =>
  withCreateIssue({
    execute(context, input) {
      const request = (sent: ProviderRequest) =>
        wrong(() => context.request(sent), sent) as Promise<ProviderResponse>;
      return createIssue.execute({ ...context, request }, input);
    },
  });
export const withFailure = (details: Partial<ProviderFailure['details']>): Connector =>
  withLine((request) =>
    request().catch((error: ProviderFailure) => {
      throw new ProviderFailure({ ...error.details, ...details });
    }),
  );

/** The signature as it should be, but over what the mutant thinks was signed. */
export function isSigned(
  { headers }: RawDelivery,
  secrets: readonly Secret[],
  signed: (Buffer | string)[],
): boolean {
  const given = headers['example-signature'];
  return verifyHmac({ algorithm: 'sha256', secrets, signed, given, encoding: 'hex', prefix: 'v1=' });
}
export const prefixOf = ({ headers }: RawDelivery): string =>
  `${headers['example-delivery']}.${headers['example-timestamp']}.`;

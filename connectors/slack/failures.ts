import type { FailureCategory, FailureRule, FailureVocabulary } from '../../src/connector/index.js';

// Slack says 200 to nearly everything, and tells in the body what came of it: `{"ok":false,"error":"not_in_channel"}`.
// https://docs.slack.dev/apis/web-api/#responses; each method's page lists its errors.

/** Slack's own words, by what they mean for us. Whatever is not here is INVALID, and its word is the message. */
const CODES: Readonly<Partial<Record<FailureCategory, readonly string[]>>> = {
  AUTH: [
    'missing_scope',
    'not_allowed_token_type',
    'no_permission',
    'access_denied',
    'org_login_required',
    'ekm_access_denied',
    'team_access_not_granted',
    'two_factor_setup_required',
  ],
  NOT_FOUND: ['channel_not_found', 'message_not_found', 'thread_not_found'],
  INVALID: [
    'already_reacted',
    'bad_timestamp',
    'invalid_name',
    'is_archived',
    'msg_too_long',
    'no_text',
    'not_in_channel',
    'too_many_emoji',
    'too_many_reactions',
  ],
  // Both say that nothing was begun.
  PROVIDER: ['service_unavailable', 'request_timeout'],
};

const REFUSED_CREDENTIALS = [
  'invalid_auth',
  'not_authed',
  'token_expired',
  'token_revoked',
  'account_inactive',
];
/** "It's possible some aspect of the operation succeeded before the error was raised." */
const UNCLEAR = ['internal_error', 'fatal_error'];
const LIMITS = ['ratelimited', 'rate_limited'];

function says(code: string, category: FailureCategory, more: Partial<FailureRule> = {}): FailureRule {
  return { status: [200], bodyHas: { path: ['error'], value: code }, category, code, ...more };
}

export const failures: FailureVocabulary = {
  message: ['error'],
  rules: [
    { status: [429], category: 'RATE_LIMIT', code: 'ratelimited', waitSeconds: 60 },
    ...LIMITS.map((code) => says(code, 'RATE_LIMIT', { waitSeconds: 60 })),
    ...REFUSED_CREDENTIALS.map((code) => says(code, 'AUTH', { isCredentialRefused: true })),
    ...UNCLEAR.map((code) => says(code, 'PROVIDER', { isAmbiguous: true })),
    ...Object.entries(CODES).flatMap(([category, codes]) =>
      codes.map((code) => says(code, category as FailureCategory)),
    ),
    { status: [200], bodyHas: { path: ['ok'], value: false }, category: 'INVALID', code: 'refused_by_slack' },
  ],
  resets: [],
};

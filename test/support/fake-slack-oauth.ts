import type { FakeSlack } from './fake-slack.js';
import type { FakeAnswer, FakeRequest } from './fake-provider.js';
import { TEAM, refusal } from './fake-slack.js';

export interface FakeSlackApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The code that {@link serveSlackOAuth} takes, any number of times. */
export const GOOD_CODE = 'code.of.the.fake';
const LIFE_SECONDS = 43_200;

/**
 * Slack's own OAuth, of an app that has token rotation switched on: each refresh token is good for one use, and errors
 * come with 200. https://docs.slack.dev/authentication/using-token-rotation
 */
export function serveSlackOAuth(slack: FakeSlack, app: FakeSlackApp): void {
  let refreshToken: string | undefined;
  let issued = 0;

  function grant(): FakeAnswer {
    issued += 1;
    const accessToken = ['xoxe', 'xoxb', issued].join('-');
    refreshToken = ['xoxe', '1', issued].join('-');
    slack.accept(accessToken);
    const tokens = { access_token: accessToken, refresh_token: refreshToken, expires_in: LIFE_SECONDS };
    const about = { token_type: 'bot', scope: 'chat:write,channels:history', bot_user_id: 'U0BOT00001' };
    // Whoever has consented: their own token is nested, and there is none.
    const rest = { team: { id: TEAM, name: 'Acme' }, enterprise: null, authed_user: { id: 'U0ADA00001' } };
    return { status: 200, body: { ok: true, app_id: 'A0APP00001', ...tokens, ...about, ...rest } };
  }

  slack.provider.on('POST /api/oauth.v2.access', ({ text }: FakeRequest) => {
    const form = Object.fromEntries(new URLSearchParams(text));
    if (form['client_id'] !== app.clientId) return refusal('invalid_client_id');
    if (form['client_secret'] !== app.clientSecret) return refusal('bad_client_secret');
    if (form['grant_type'] !== 'refresh_token') {
      return form['code'] === GOOD_CODE ? grant() : refusal('invalid_code');
    }
    return form['refresh_token'] === refreshToken ? grant() : refusal('invalid_refresh_token');
  });
}

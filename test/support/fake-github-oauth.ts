import type { FakeAnswer, FakeProvider, FakeRequest } from './fake-provider.js';

export interface FakeGitHubApp {
  readonly clientId: string;
  readonly clientSecret: string;
  /** What every good code gives. */
  readonly token: string;
}

/** The codes that {@link serveGitHubOAuth} takes. */
export const GOOD_CODE = 'code_of_the_fake';

/**
 * GitHub's own OAuth: it says 200 to errors as well, and consents end by a request of its own.
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
export function serveGitHubOAuth(provider: FakeProvider, app: FakeGitHubApp): void {
  function exchange({ text }: FakeRequest): FakeAnswer {
    const form = Object.fromEntries(new URLSearchParams(text));
    const isApp = form['client_id'] === app.clientId && form['client_secret'] === app.clientSecret;
    if (!isApp) return { status: 200, body: { error: 'incorrect_client_credentials' } };
    if (form['code'] !== GOOD_CODE || !form['code_verifier']) {
      return { status: 200, body: { error: 'bad_verification_code' } };
    }
    return { status: 200, body: { access_token: app.token, token_type: 'bearer', scope: 'repo,read:user' } };
  }

  /** https://docs.github.com/en/rest/apps/oauth-applications#delete-an-app-authorization */
  function endGrant({ headers, body }: FakeRequest, clientId: string | undefined): FakeAnswer {
    const proof = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
    if (headers['authorization'] !== `Basic ${proof}` || clientId !== app.clientId) return { status: 401 };
    const { access_token: token } = body as { access_token?: string };
    if (token !== app.token) return { status: 422 };
    provider.addEffect('grant ended');
    return { status: 204 };
  }

  provider.on('POST /login/oauth/access_token', exchange);
  provider.on('DELETE /applications/{client_id}/token', (request, { client_id: id }) =>
    endGrant(request, id),
  );
}

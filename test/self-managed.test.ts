import { randomUUID } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Caller, scopes } from '../src/core/caller.js';
import { type TestApp, useTestApp } from './support/app.js';
import { createTestClock } from './support/clock.js';
import { type FakeGitLab, startFakeGitLab } from './support/fake-gitlab.js';

const caller: Caller = { tenantId: 'acme', subject: 'ada', scopes: new Set(scopes), correlationId: 'corr-1' };
const stranger: Caller = { ...caller, tenantId: 'globex' };
const HOME = 'https://git.example.com/code';

const OPERATORS = {
  PUBLIC_URL: 'https://tributary.example',
  TRIBUTARY_PROVIDER_GITLAB_CLIENT_ID: 'the-operators',
  TRIBUTARY_PROVIDER_GITLAB_CLIENT_SECRET: 'the-operators-secret',
};

type Settings = Readonly<Record<string, string>>;

function byToken(settings: Settings, token = 'any') {
  const credential = { token };
  return { providerId: 'gitlab', name: randomUUID(), authMethod: 'BEARER' as const, credential, settings };
}

const byConsent = (settings: Settings) => ({
  providerId: 'gitlab',
  name: randomUUID(),
  authMethod: 'OAUTH2' as const,
  settings,
});

/** Where a person who opens our link and presses its button is sent; nobody goes there. */
async function leadsTo({ app, url }: TestApp, settings: Settings, who = caller): Promise<string> {
  const { authorizationUrl } = await app.services.connections.connect(who, byConsent(settings));
  const link = new URL(authorizationUrl ?? '');
  const page = await fetch(`${url}${link.pathname}`);
  const cookie = page.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const opened = await fetch(`${url}${link.pathname}`, {
    method: 'POST',
    headers: { cookie },
    redirect: 'manual',
  });
  return opened.headers.get('location') ?? '';
}

async function fakeGitLab(): Promise<FakeGitLab> {
  const fake = await startFakeGitLab(createTestClock());
  onTestFinished(() => fake.provider.close());
  return fake;
}

describe('the setting baseUrl', () => {
  it.each([
    'http://git.example.com',
    'https://git.example.com/',
    'https://ada:pw@git.example.com',
    'https://git.example.com?x=1',
    'https://git.example.com#x',
    'https://git.example.com/../x',
    'https://',
    'git.example.com',
    '',
  ])('is not %j', async (baseUrl) => {
    const { app } = await useTestApp();
    for (const providerId of ['gitlab', 'github']) {
      const attempt = app.services.connections.connect(caller, { ...byToken({ baseUrl }), providerId });
      await expect(attempt).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('leads nowhere that egress does not allow', async () => {
    const { app } = await useTestApp();
    const { connections } = app.services;
    for (const providerId of ['gitlab', 'github']) {
      const command = { ...byToken({ baseUrl: 'https://10.11.12.13' }), providerId };
      const { connection } = await connections.connect(caller, command);
      const verified = await connections.verify(caller, connection.id);
      expect(verified.status).not.toBe('ACTIVE');
      expect(verified.statusReason).toMatchObject({ code: 'refused' });
      expect(verified.statusReason?.message).toContain('10.11.12.13');
    }
  });

  it('does not count where the operator has sent everyone elsewhere', async () => {
    const fake = await fakeGitLab();
    const { app } = await useTestApp({ env: { TRIBUTARY_PROVIDER_GITLAB_BASE_URL: fake.provider.url } });
    const { connections } = app.services;
    const { connection } = await connections.connect(caller, byToken({ baseUrl: HOME }, fake.token));
    expect((await connections.verify(caller, connection.id)).status).toBe('ACTIVE');
  });
});

describe('the operator’s app', () => {
  it('is shown to the provider’s own service only', async () => {
    const test = await useTestApp({ env: OPERATORS });
    const { connections } = test.app.services;
    const own = new URL(await leadsTo(test, {}));
    expect([own.origin, own.searchParams.get('client_id')]).toEqual(['https://gitlab.com', 'the-operators']);
    // Else whoever may connect could have the operator's secret sent to a server of theirs.
    const elsewhere = connections.connect(caller, byConsent({ baseUrl: HOME }));
    await expect(elsewhere).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(elsewhere).rejects.toThrow(`${HOME}. Register one there and set it by setOAuthApp`);
  });
});

describe('an app of the tenant’s', () => {
  const app = { providerId: 'gitlab', clientId: 'ours', clientSecret: 'ours-alone' };

  it('is known where it is registered, and nowhere else', async () => {
    const test = await useTestApp({ env: OPERATORS });
    const { connections, oauthApps } = test.app.services;
    await oauthApps.set(caller, { ...app, baseUrl: HOME });
    const there = new URL(await leadsTo(test, { baseUrl: HOME }));
    expect(there.origin + there.pathname).toBe(`${HOME}/oauth/authorize`);
    expect(there.searchParams.get('client_id')).toBe('ours');
    const home = new URL(await leadsTo(test, {}));
    expect(home.searchParams.get('client_id')).toBe('the-operators');
    for (const [who, baseUrl] of [
      [caller, 'https://git.example.com'],
      [stranger, HOME],
    ] as const) {
      const attempt = connections.connect(who, byConsent({ baseUrl }));
      await expect(attempt).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    }

    await oauthApps.set(caller, app);
    expect(new URL(await leadsTo(test, {})).searchParams.get('client_id')).toBe('ours');
    const moved = connections.connect(caller, byConsent({ baseUrl: HOME }));
    await expect(moved).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect((await oauthApps.list(caller)).map(({ baseUrl }) => baseUrl)).toEqual([null]);
  });

  it('has to be somewhere such a provider can be', async () => {
    const { app: running } = await useTestApp();
    for (const baseUrl of ['http://git.example.com', 'https://git.example.com/', 'x']) {
      const attempt = running.services.oauthApps.set(caller, { ...app, baseUrl });
      await expect(attempt).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });
});

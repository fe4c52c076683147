import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useTestApp } from './support/app.js';
import { connectGitHub, githubDelivery, post } from './support/github.js';

const root = join(import.meta.dirname, '..');
const tsx = join(root, 'node_modules/.bin/tsx');

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { ...process.env, LOG_LEVEL: 'silent', ...env } };
    const child = execFile(tsx, [script, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

function environmentOf({
  config,
  url,
  database,
}: Awaited<ReturnType<typeof useTestApp>>): Record<string, string> {
  return { DATABASE_URL: database.url, TRIBUTARY_DATA_DIR: config.TRIBUTARY_DATA_DIR, PUBLIC_URL: url };
}

describe('npm run new-connector', () => {
  function copyOfTemplate(): string {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-new-connector-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const path of [
      'connectors/example',
      'connectors/index.ts',
      'test/support/fake-example.ts',
      'test/conformance/subjects/example.ts',
    ]) {
      cpSync(join(root, path), join(folder, path), { recursive: true });
    }
    return folder;
  }

  it('makes a folder, a fake, a subject and a line in the list, in which nothing is called example', async () => {
    const folder = copyOfTemplate();
    const { code, stdout } = await run('scripts/new-connector.ts', ['acme-desk', '--root', folder]);
    expect(code).toBe(0);
    const made = stdout
      .split('\n')
      .filter((line) => line.startsWith('  connectors/acme') || line.startsWith('  test/'));
    const template = readdirSync(join(folder, 'connectors/example'), {
      recursive: true,
      withFileTypes: true,
    });
    expect(made).toHaveLength(template.filter((entry) => entry.isFile()).length + 2);
    for (const path of made) {
      const text = readFileSync(join(folder, path.trim()), 'utf8').replaceAll(
        /example\.com|whsec_example/g,
        '',
      );
      expect(text, path).not.toMatch(/example/i);
    }
    const list = readFileSync(join(folder, 'connectors/index.ts'), 'utf8');
    expect(list).toContain("import { acmeDesk } from './acme-desk/index.js';\n");
    const listed = /readonly Connector\[\] = \[([^\]]*)\]/.exec(list)?.[1]?.match(/\w+/g) ?? [];
    expect(listed).toContain('acmeDesk');
    expect(listed).toEqual(listed.toSorted());
    expect(readFileSync(join(folder, 'connectors/acme-desk/index.ts'), 'utf8')).toContain(
      'export const acmeDesk =',
    );
  });

  it('spells types as the name is spelled, and variables as the id', async () => {
    const folder = copyOfTemplate();
    const args = ['beeper', '--name', 'BeePer', '--root', folder];
    const { code, stderr } = await run('scripts/new-connector.ts', args);
    expect(code, stderr).toBe(0);
    const fake = readFileSync(join(folder, 'test/support/fake-beeper.ts'), 'utf8');
    expect(fake).toContain('export async function startFakeBeePer(');
    expect(readFileSync(join(folder, 'connectors/beeper/index.ts'), 'utf8')).toContain(
      'export const beeper =',
    );
  });

  it('overwrites nothing, and takes no name that is none', async () => {
    const folder = copyOfTemplate();
    const [there, none] = await Promise.all(
      ['example', 'Acme Desk'].map((id) => run('scripts/new-connector.ts', [id, '--root', folder])),
    );
    expect([there?.code, none?.code]).toEqual([1, 1]);
    expect(there?.stderr).toContain('connectors/example is there already');
    expect(none?.stderr).toContain('is no id');
  });
});

describe('npm run connector', () => {
  it('replays a fixture: verified, event, signals', async () => {
    const { code, stdout } = await run('scripts/connector.ts', ['github', 'replay', 'issues.opened']);
    expect(code).toBe(0);
    const expected = JSON.parse(
      readFileSync(join(root, 'connectors/github/fixtures/issues.opened.signals.json'), 'utf8'),
    );
    expect(JSON.parse(stdout)).toMatchObject({
      verified: true,
      event: { type: 'issues.opened' },
      signals: expected,
    });
  });

  it('saves what a body of one’s own became, as what is expected of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-replay-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const fixtures = join(root, 'connectors/github/fixtures');
    for (const part of ['json', 'headers.json']) {
      cpSync(join(fixtures, `issues.opened.${part}`), join(folder, `mine.${part}`));
    }
    const args = ['github', 'replay', join(folder, 'mine.json'), '--save'];
    const { code, stderr } = await run('scripts/connector.ts', args);
    expect(code, stderr).toBe(0);
    const [saved, expected] = [join(folder, 'mine'), join(fixtures, 'issues.opened')].map(
      (path) => JSON.parse(readFileSync(`${path}.signals.json`, 'utf8')) as unknown,
    );
    expect(saved).toEqual(expected);
  });

  it('says what is missing', async () => {
    const { code, stderr } = await run('scripts/connector.ts', ['github', 'replay', 'never.heard_of']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('never.heard_of.json')]);
  });

  it('emits a fixture to a connection, signed as its provider does', async () => {
    const app = await useTestApp();
    const { connectionId } = await connectGitHub(await app.caller('acme'));
    const args = ['github', 'emit', 'issues.opened', '--connection', connectionId];
    const emitted = await run('scripts/connector.ts', [...args, '--tenant', 'acme'], environmentOf(app));
    expect(emitted.stdout).toMatch(/^202 \{"delivery_id"/);
    const [again, foreign] = await Promise.all(
      ['acme', 'globex'].map((tenant) =>
        run('scripts/connector.ts', [...args, '--tenant', tenant], environmentOf(app)),
      ),
    );
    expect(again?.stdout).toMatch(/^200 /);
    expect([foreign?.code, foreign?.stderr]).toEqual([1, expect.stringContaining('has no connection')]);
  });
});

describe('npm run tributary -- register-app', () => {
  it('prints the URL for the operator’s app, whose deliveries the server then takes', async () => {
    const app = await useTestApp();
    const secret = 'the signing secret of the app';
    const made = await run('src/tributary.ts', ['register-app', 'github'], environmentOf(app), `${secret}\n`);
    expect(made.code, made.stderr).toBe(0);
    const url = made.stdout.trim();
    expect(url.startsWith(`${app.url}/v1/integrations/webhooks/github/`)).toBe(true);
    const answer = await post(
      url,
      await githubDelivery('ping', { zen: 'Keep it logically awesome.' }, secret),
    );
    expect([answer.status, answer.body]).toEqual([202, { delivery_id: null, signals: [] }]);
    const removed = await run('src/tributary.ts', ['remove-app', 'github'], environmentOf(app));
    expect(removed.stdout).toBe('Removed.\n');
    await expect
      .poll(async () => (await post(url, await githubDelivery('ping', {}, secret))).status)
      .toBe(404);
  });
});

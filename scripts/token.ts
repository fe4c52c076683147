/**
 * Prints a development token, and nothing else, so that it can stand in `$(…)`:
 *
 *   npm run -s token -- --tenant acme --scope "integrations:read" --subject ada --hours 8
 */
import { parseArgs } from 'node:util';
import { readConfig } from '../src/config.js';
import { issueDevelopmentToken } from '../src/core/auth.js';
import { type Scope, scopes } from '../src/core/caller.js';
import { systemClock } from '../src/core/clock.js';
import { ensureDataDir } from '../src/core/data-dir.js';

const options = {
  tenant: { type: 'string', default: 'dev' },
  scope: { type: 'string', default: scopes.join(' ') },
  subject: { type: 'string', default: 'developer' },
  hours: { type: 'string', default: '24' },
} as const;

const USAGE = `Usage: npm run -s token -- [--tenant ${options.tenant.default}] [--scope "${scopes[0]} …"] [--subject ${options.subject.default}] [--hours ${options.hours.default}]`;

function readClaims(args: string[]) {
  const { tenant, scope, subject, hours } = parseArgs({ args, options }).values;
  if (tenant === '' || tenant.length > 255) throw new Error('--tenant must have 1 to 255 characters.');
  if (subject === '') throw new Error('--subject must not be empty.');
  if (!(Number(hours) > 0)) throw new Error(`--hours must be a number above 0, not "${hours}".`);
  return {
    tenantId: tenant,
    subject,
    scope: requireScopes(scope),
    lifetimeSeconds: Math.ceil(Number(hours) * 3_600),
  };
}

function requireScopes(text: string): string {
  const names = text.split(/\s+/).filter((name) => name !== '');
  const unknown = names.filter((name) => !scopes.includes(name as Scope));
  if (unknown.length > 0) {
    throw new Error(`--scope: there is no ${unknown.join(', ')}. There are: ${scopes.join(', ')}.`);
  }
  return names.join(' ');
}

try {
  const claims = readClaims(process.argv.slice(2));
  const config = readConfig(process.env);
  // The key may be made here, before the first start: the folder must then be as closed as start makes it.
  ensureDataDir(config.TRIBUTARY_DATA_DIR);
  process.stdout.write(`${await issueDevelopmentToken(config, claims, systemClock)}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 1;
}

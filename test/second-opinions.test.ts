import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RawDelivery, Secret } from '../src/connector/index.js';
import { loadFixtures, requireWebhook, secretOf } from './conformance/fixtures.js';
import type { ConformanceSubject } from './conformance/subject.js';
import type { Opinion } from './second-opinions/opinion.js';

// Two readings of one page of documentation can agree and be wrong. Here a library that others trust is asked, both ways.

const folder = join(import.meta.dirname, 'second-opinions');
const subjects = new Set(
  readdirSync(join(import.meta.dirname, 'conformance/subjects')).map((file) => basename(file, '.ts')),
);
const providers = readdirSync(folder)
  .map((file) => basename(file, '.ts'))
  .filter((name) => subjects.has(name));

async function agrees(
  { verify }: Opinion,
  delivery: RawDelivery,
  secret: Secret,
  at: Date,
): Promise<boolean> {
  try {
    return (await verify(delivery, secret, at)) === true;
  } catch {
    return false; // How some libraries say no.
  }
}

function altered(delivery: RawDelivery): RawDelivery {
  const body = Buffer.from(delivery.body);
  // Space is added where a letter would make another JSON: libraries that parse must say no to the signature, not to it.
  return { ...delivery, body: Buffer.concat([body, Buffer.from(' ')]) };
}

/** As a webhook's body may be: JSON, in any spelling, with any text in it. */
const anyBody = fc
  .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3))
  .map(([value, indent]) => Buffer.from(JSON.stringify(value, null, indent)));

describe.each(providers)('deliveries of %s', async (provider) => {
  const { subject } = (await import(`./conformance/subjects/${provider}.ts`)) as {
    subject: ConformanceSubject;
  };
  const { opinion } = (await import(`./second-opinions/${provider}.ts`)) as { opinion: Opinion };
  const { webhook, scheme } = requireWebhook(subject);
  const fixtures = loadFixtures(subject.folder);
  const other = secretOf(scheme, 'other');

  it(`that ${opinion.library} signed are accepted here, and no others`, async ({ skip }) => {
    skip(!opinion.sign, 'it only checks');
    const property = fc.asyncProperty(
      anyBody,
      fc.constantFrom(...fixtures),
      fc.string(),
      async (body, { headers }, seed) => {
        const secret = secretOf(scheme, seed);
        const signed = await opinion.sign!({ headers, body }, secret, new Date());
        expect(webhook.verify(signed, [secret])).toBe(true);
        expect(webhook.verify(signed, [other])).toBe(false);
        expect(webhook.verify(altered(signed), [secret])).toBe(false);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });

  it(`as we understand them are accepted by ${opinion.library}, and no others`, async () => {
    const property = fc.asyncProperty(
      anyBody,
      fc.constantFrom(...fixtures),
      fc.string(),
      async (body, { headers }, seed) => {
        const [secret, at] = [secretOf(scheme, seed), new Date()];
        const signed = scheme.sign({ headers, body }, secret, at);
        expect(await agrees(opinion, signed, secret, at)).toBe(true);
        expect(await agrees(opinion, signed, other, at)).toBe(false);
        expect(await agrees(opinion, altered(signed), secret, at)).toBe(false);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });
});

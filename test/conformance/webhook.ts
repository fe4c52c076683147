import * as fc from 'fast-check';
import { expect } from 'vitest';
import { MalformedDelivery, type ProviderEvent, type RawDelivery } from '../../src/connector/index.js';
import { type ConformanceTest, check } from './checks.js';
import { RECEIVED_AT, loadFixtures, readEvent, requireWebhook, secretOf } from './fixtures.js';
import type { ConformanceSubject, Unsigned } from './subject.js';

/** Longer than any provider's tolerance. */
const STALE_MS = 60 * 60 * 1000;

/** Who may tell us something, and how we recognise it when it is told twice. */
export function* webhookChecks(subject: ConformanceSubject): Iterable<ConformanceTest> {
  const { webhook, scheme } = requireWebhook(subject);
  const fixtures = loadFixtures(subject.folder);
  const first: Unsigned = fixtures[0]!;
  const secret = secretOf(scheme, 'current');
  const other = secretOf(scheme, 'other');
  const sign = (unsigned: Unsigned, at = RECEIVED_AT) => scheme.sign(unsigned, secret, at);
  const proofs = proofHeaders(sign(first), scheme.sign(first, other, RECEIVED_AT));
  const { settings } = subject.provider;
  const accepts = (delivery: RawDelivery, secrets = [secret]) => webhook.verify(delivery, secrets, settings);

  yield check('WEBHOOK-01', () => {
    for (const fixture of fixtures) expect(accepts(sign(fixture))).toBe(true);
  });
  yield check('WEBHOOK-02', () => {
    expect(proofs).not.toEqual([]);
    for (const name of proofs) {
      expect(accepts(withHeader(sign(first), name, undefined))).toBe(false);
      expect(accepts(withHeader(sign(first), name, ''))).toBe(false);
    }
  });
  yield check('WEBHOOK-04', () => {
    for (const name of proofs) {
      const proof = String(sign(first).headers[name]);
      for (const wrong of [
        proof.slice(0, -1),
        proof.slice(0, -2),
        `${proof}0`,
        `${proof}00`,
        proof.repeat(2),
      ]) {
        expect(accepts(withHeader(sign(first), name, wrong))).toBe(false);
      }
    }
  });
  yield check('WEBHOOK-06', () => expect(accepts(sign(first), [other])).toBe(false));
  yield check('WEBHOOK-07', () => expect(accepts(sign(first), [])).toBe(false));
  yield check('WEBHOOK-09', () => {
    for (const secrets of [
      [secret, other],
      [other, secret],
    ])
      expect(accepts(sign(first), secrets)).toBe(true);
  });
  yield check('WEBHOOK-10', () => {
    const header = fc.option(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), { nil: undefined });
    const headers = fc.record(
      Object.fromEntries(Object.keys(sign(first).headers).map((name) => [name, header])),
    );
    const property = fc.property(headers, fc.uint8Array(), (given, bytes) => {
      expect(accepts({ headers: given, body: Buffer.from(bytes), receivedAt: RECEIVED_AT })).toBe(false);
    });
    fc.assert(property);
  });
  if (scheme.signs.includes('body')) {
    yield check('WEBHOOK-03', () => {
      const delivery = sign(first);
      for (const index of [0, delivery.body.length >> 1, delivery.body.length - 1]) {
        const body = Buffer.from(delivery.body);
        body[index] = (body[index] ?? 0) ^ 1;
        expect(accepts({ ...delivery, body })).toBe(false);
      }
    });
    yield check('WEBHOOK-05', () => {
      const delivery = sign(first);
      const value: unknown = JSON.parse(String(first.body));
      for (const indent of [0, 1, 3]) {
        const body = Buffer.from(JSON.stringify(value, null, indent));
        if (!body.equals(delivery.body)) expect(accepts({ ...delivery, body })).toBe(false);
      }
    });
  }
  if (scheme.signs.includes('time')) {
    yield check('WEBHOOK-08', () => {
      for (const offset of [STALE_MS, -STALE_MS]) {
        const receivedAt = new Date(RECEIVED_AT.getTime() + offset);
        expect(accepts({ ...sign(first), receivedAt })).toBe(false);
      }
    });
    yield check('WEBHOOK-13', () => {
      const now = sign(first);
      const later = sign(first, new Date(RECEIVED_AT.getTime() + STALE_MS));
      // The old signature under new times: what someone would send who recorded it.
      const refreshed = proofs.reduce((made, name) => withHeader(made, name, now.headers[name]), later);
      expect(accepts(refreshed)).toBe(false);
    });
  }
  yield check('WEBHOOK-11', () => {
    for (const body of ['', 'not json', '{"cut": ', '\u0000', 'null', '[]', '7', '{}', '['.repeat(10_000)]) {
      for (const headers of [first.headers, {}]) {
        expectReadable(() => readEvent(webhook, sign({ headers, body: Buffer.from(body) }), settings));
      }
    }
    const invalid = { headers: first.headers, body: Buffer.from('{"text":"\xff"}', 'latin1') };
    expect(() => readEvent(webhook, sign(invalid), settings)).toThrow(MalformedDelivery);
  });
  yield* addressChecks(
    subject,
    fixtures.map((fixture) => sign(fixture)),
  );
  yield check('WEBHOOK-12', () => {
    for (const fixture of fixtures) {
      const [once, again] = [RECEIVED_AT, new Date(RECEIVED_AT.getTime() + STALE_MS)].map((at) =>
        readEvent(webhook, sign(fixture, at), settings),
      );
      expect([again?.id, again?.type]).toEqual([once?.id, once?.type]);
    }
  });
}

/** What is asked about an address before events come, and for whom they are when one address serves many. */
function* addressChecks(
  { connector }: ConformanceSubject,
  signed: readonly RawDelivery[],
): Iterable<ConformanceTest> {
  const { handshake, accountOf } = connector.webhook!;
  if (!handshake && !accountOf) return;
  const ask = (delivery: RawDelivery, body: unknown): readonly unknown[] => [
    handshake?.signed?.(delivery, body),
    handshake?.unsigned?.({ method: 'POST', ...delivery }),
    handshake?.secretOf?.(body),
  ];
  yield check('WEBHOOK-14', () => {
    for (const delivery of signed) {
      const { body } = readEvent(connector.webhook!, delivery);
      expect(ask(delivery, body)).toEqual([undefined, undefined, undefined]);
    }
  });
  yield check('WEBHOOK-15', () => {
    const headers = fc.constantFrom(...signed.map((delivery) => delivery.headers), {});
    const property = fc.property(fc.jsonValue(), headers, (body, given) => {
      const delivery = { headers: given, body: Buffer.from(JSON.stringify(body)), receivedAt: RECEIVED_AT };
      ask(delivery, body);
      handshake?.unsigned?.({ method: 'GET', headers: given, query: {} });
      const accounts = [accountOf?.(delivery, body) ?? []].flat();
      expect(accounts.filter((account) => typeof account !== 'string')).toEqual([]);
    });
    fc.assert(property);
  });
}

/** The headers that depend on the secret, whatever their names. */
function proofHeaders(signed: RawDelivery, otherwise: RawDelivery): readonly string[] {
  return Object.keys(signed.headers).filter((name) => signed.headers[name] !== otherwise.headers[name]);
}

function withHeader(delivery: RawDelivery, name: string, value: string | undefined): RawDelivery {
  return { ...delivery, headers: { ...delivery.headers, [name]: value } };
}

/** Either it can be named, and stored under that name, or it is refused by the one error that means "400". */
function expectReadable(read: () => ProviderEvent): void {
  try {
    const { id, type } = read();
    expect(id.length).toBeGreaterThan(0);
    expect(id.length).toBeLessThanOrEqual(255);
    expect(type).not.toBe('');
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedDelivery);
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Connector, JsonObject } from '../../src/connector/index.js';
import { type ConformanceSubject, conformanceTests } from '../conformance.js';
import type { FakeProvider, FakeRequest } from '../support/fake-provider.js';
import { createGraphQLContract } from './graphql.js';
import { type Contract, createOpenApiContract } from './openapi.js';

export interface ContractOptions {
  readonly connector: Connector;
  /** Below the folder of descriptions: `github/api.github.com.json.gz`. OpenAPI, Swagger 2, or GraphQL's SDL. */
  readonly description: string;
  /** What the description's paths begin with and the fake's don't. Left out: they are alike. */
  readonly base?: string | ((path: string) => string);
  /** The conformance suite drives the connector; all that it sends is looked at. */
  readonly subject: ConformanceSubject;
  /** More to do than the suite does. */
  readonly drive?: (provider: FakeProvider, subject: ConformanceSubject) => Promise<void>;
  /** Operations that the description lacks, each with the page that describes it: `POST /v1/comments`. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Problems that are the description's own, each with why: `POST /issues body/type is not described`. */
  readonly excused?: Readonly<Record<string, string>>;
  /** The description is older than the API: what it does not know in an answer is no mistake. */
  readonly isDated?: boolean;
}

const folder =
  process.env['TRIBUTARY_API_DESCRIPTIONS'] ??
  join(import.meta.dirname, '../../../shared/reference/api-descriptions');

/**
 * Holds every request that the connector sends, and every answer its fake gives, against what the provider has published.
 * Descriptions are not ours to publish: without them the test says so and is skipped.
 */
export function describeContract(options: ContractOptions): void {
  const { connector, description } = options;
  const path = join(folder, description);
  const isThere = existsSync(path);
  const note = isThere ? '' : ': there is none, TRIBUTARY_API_DESCRIPTIONS names the folder to look in';
  // oxlint-disable-next-line vitest/valid-title -- one for each connector
  it.skipIf(!isThere)(
    `requests of ${connector.manifest.id}, and answers of its fake, are as ${description} says${note}`,
    async () => {
      const contract = await readContract(path, options.isDated ?? false);
      const findings = examine(contract, await drive(options), options);
      expect(findings.operations.size).toBeGreaterThan(0);
      expect(Object.fromEntries(findings.problems)).toEqual({});
      expect(findings.needless, 'nothing needs these any more').toEqual([]);
    },
    240_000,
  );
}

async function readContract(path: string, isDated: boolean): Promise<Contract> {
  const bytes = readFileSync(path);
  const text = String(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  if (path.endsWith('.graphql')) return createGraphQLContract(text);
  return createOpenApiContract(await parseDocument(path, text), isDated);
}

async function parseDocument(path: string, text: string): Promise<JsonObject> {
  if (!/\.ya?ml$/.test(path)) return JSON.parse(text) as JsonObject;
  const { parse } = await import('yaml');
  return parse(text) as JsonObject;
}

/** The checks in which the connector sends all that it can send; the others only answer it differently. */
const SENDS = /^(AUTH-01|WEBHOOK-REG-0[1-6]|POLL-0[2-7]|ACTION-(01|02|1[6-9]))$/;

/** Runs the conformance suite, whatever it says, and gathers what went over the line meanwhile. */
async function drive({ subject, drive: more }: ContractOptions): Promise<readonly FakeProvider[]> {
  const started: FakeProvider[] = [];
  const watched: ConformanceSubject = {
    ...subject,
    provider: {
      ...subject.provider,
      async start(clock) {
        const fake = await subject.provider.start(clock);
        started.push(fake.provider);
        return fake;
      },
    },
  };
  for (const { id, run } of conformanceTests(watched)) {
    if (!SENDS.test(id)) continue;
    await Promise.resolve()
      .then(run)
      .catch(() => undefined); // Its own test tells.
  }
  if (more) {
    const { provider } = await watched.provider.start({ now: () => new Date() });
    await more(provider, subject);
    await provider.close();
  }
  return started;
}

interface Findings {
  readonly operations: ReadonlyMap<string, number>;
  /** What is wrong, by the operation it is wrong with. */
  readonly problems: ReadonlyMap<string, readonly string[]>;
  /** What was excused and is no problem. */
  readonly needless: readonly string[];
}

function examine(
  contract: Contract,
  providers: readonly FakeProvider[],
  { base = '', elsewhere = {}, excused = {} }: ContractOptions,
): Findings {
  const move = typeof base === 'string' ? (path: string) => base + path : base;
  const moved = (request: FakeRequest): FakeRequest => ({ ...request, path: move(request.path) });
  const [operations, problems, used] = [
    new Map<string, number>(),
    new Map<string, string[]>(),
    new Set<string>(),
  ];

  function note(request: FakeRequest, found: (moved: FakeRequest) => readonly string[], about: string): void {
    const at = moved(request);
    const name = contract.nameOf(at) ?? `${at.method} ${at.path}`;
    operations.set(name, (operations.get(name) ?? 0) + 1);
    const isElsewhere = Object.keys(elsewhere).find((route) => fitsRoute(route, at));
    if (!contract.nameOf(at) && isElsewhere) return void used.add(isElsewhere);
    const all = contract.nameOf(at) ? found(at) : ['is no operation of the description'];
    for (const problem of all) {
      const told = `${about} ${problem}`;
      const excuse = Object.keys(excused).find((one) => one === `${name} ${told}`);
      if (excuse) used.add(excuse);
      else if (!problems.get(name)?.includes(told)) problems.set(name, [...(problems.get(name) ?? []), told]);
    }
  }

  for (const { requests, performed } of providers) {
    for (const request of requests) note(request, contract.checkRequest, 'request:');
    for (const { request, answer } of performed) {
      note(request, (at) => contract.checkAnswer(at, answer), `answer ${answer.status}:`);
    }
  }
  const needless = [...Object.keys(elsewhere), ...Object.keys(excused)].filter((one) => !used.has(one));
  return { operations, problems, needless };
}

/** `POST /v1/pages/{id}` */
function fitsRoute(route: string, { method, path }: FakeRequest): boolean {
  const [parts, actual] = [route.split(/[ /]/), [method, ...path.split('/')]];
  return (
    parts.length === actual.length &&
    parts.every((part, index) => part.startsWith('{') || part === actual[index])
  );
}

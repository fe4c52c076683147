import { type JsonObject, type SettingsProblem, textAt } from '../../src/connector/index.js';
import type { ActionTemplate, Settings } from './settings.js';
import { namesIn, namesInPath } from './template.js';

/** Ours to send: by these a request is signed, framed or addressed. */
export const RESERVED_HEADERS = [
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-correlation-id',
];

/** What the schema can't see: names that lead nowhere, and a timestamp that nobody signs. */
export function checkSettings(settings: JsonObject): readonly SettingsProblem[] {
  const { baseUrl, webhook, event, verify, actions = {} } = settings as Settings;
  const problems: SettingsProblem[] = Object.entries(actions).flatMap(([name, template]) =>
    checkAction(template).map(({ path, problem }) => ({ path: `actions.${name}.${path}`, problem })),
  );
  const note = (isWrong: boolean, path: string, problem: string): void => {
    if (isWrong) problems.push({ path, problem });
  };
  const isCalled = verify !== undefined || Object.keys(actions).length > 0;
  note(isCalled && !baseUrl, 'baseUrl', 'is missing: actions and verify go there');
  if (webhook?.scheme === 'hmac') {
    const { signed = '{body}', timestamp } = webhook;
    const reads = (place: string): boolean => signed.includes(place);
    note(reads('{timestamp}') && !timestamp, 'webhook.timestamp', 'is missing: signed names it');
    note(
      timestamp !== undefined && !reads('{timestamp}'),
      'webhook.signed',
      'must hold {timestamp}: a time that is not signed proves nothing',
    );
    note(reads('{id}') && !event?.idHeader, 'event.idHeader', 'is missing: signed names the id');
  }
  return problems;
}

function checkAction(template: ActionTemplate): readonly SettingsProblem[] {
  const { path, query = {}, headers = {}, body, parameters = { type: 'object' } } = template;
  const declared = parameters.properties ?? {};
  const unknown = (where: string, names: readonly string[]): readonly SettingsProblem[] =>
    names
      .filter((name) => !Object.hasOwn(declared, name))
      .map((name) => ({ path: where, problem: `names ${name}, which is no parameter of it` }));
  return [
    ...unknown('path', namesInPath(path)),
    ...unknown('query', namesIn(query)),
    ...unknown('headers', namesIn(headers)),
    ...unknown('body', namesIn(body)),
    ...unknown('parameters.required', parameters.required ?? []),
    ...Object.entries(declared).flatMap(([name, schema]) => checkParameter(name, schema)),
    ...Object.keys(headers)
      .filter((name) => RESERVED_HEADERS.includes(name))
      .map((name) => ({ path: `headers.${name}`, problem: 'is sent by Tributary itself' })),
  ];
}

/** Which words go with which types; `type`, `enum` and `description` go with all. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum'],
  integer: ['minimum', 'maximum'],
  array: ['maxItems'],
};

function checkParameter(name: string, schema: object): readonly SettingsProblem[] {
  const type = textAt(schema, 'type') ?? '';
  const fitting = new Set(['type', 'enum', 'description', ...(WORDS[type] ?? [])]);
  return Object.keys(schema)
    .filter((word) => !fitting.has(word))
    .map((word) => ({ path: `parameters.properties.${name}.${word}`, problem: `does not go with ${type}` }));
}

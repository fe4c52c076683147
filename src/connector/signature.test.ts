import { describe, expect, it } from 'vitest';
import { Secret } from '../core/secret.js';
import { type HmacCheck, verifyHmac } from './signature.js';

const SLACK_BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar' +
  '&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com' +
  '%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d' +
  '10d2c447fce8b6703c';

/** Published by the providers, or computed with an implementation that is not ours. */
const vectors: readonly [string, Partial<HmacCheck> & { secret: string; text: string }][] = [
  [
    'GitHub',
    {
      secret: "It's a Secret to Everybody",
      text: 'Hello, World!',
      given: 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      prefix: 'sha256=',
    },
  ],
  [
    'Jira',
    {
      secret: "It's a Secret to Everybody",
      text: 'Hello World!',
      given: 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9',
      prefix: 'sha256=',
    },
  ],
  [
    'Slack',
    {
      secret: '8f742231b10e8888abcd99yyyzzz85a5',
      text: `v0:1531420618:${SLACK_BODY}`,
      given: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      prefix: 'v0=',
    },
  ],
  [
    'Linear',
    {
      secret: 'lin_wh_test',
      text: '{"action":"create","type":"Issue","webhookTimestamp":1767225600000}',
      given: 'd579630e62e2e0ba70554f6d17488ffb4a110b88be782aba9adae5e30d671357',
    },
  ],
  [
    'PagerDuty',
    {
      secret: 'pd_test_secret',
      text: '{"event":{"id":"01ABC"}}',
      given: 'v1=411e3454762152113d7f20b124e9b4e4a5ada385d272bd8bb8497013c93769b9',
      prefix: 'v1=',
    },
  ],
  [
    'Notion',
    {
      secret: 'secret_test_token',
      text: '{"id":"evt1","type":"page.created"}',
      given: 'sha256=1709f61aa35864048b09d910f94b715c55880c5adf798a43ae549ff75193cb07',
      prefix: 'sha256=',
    },
  ],
  [
    'Bitbucket',
    {
      secret: 'bb_test',
      text: '{"push":{"changes":[]}}',
      given: 'sha256=c04efeb81c05ae79cc0eb967f0a8928052e736163bdc53a108d62c5eb172ee68',
      prefix: 'sha256=',
    },
  ],
];

function toCheck({ secret, text, ...check }: (typeof vectors)[number][1]): HmacCheck {
  return {
    algorithm: 'sha256',
    encoding: 'hex',
    given: undefined,
    secrets: [new Secret(secret)],
    signed: Buffer.from(text),
    ...check,
  };
}

describe.each(vectors)('the vector of %s', (_, vector) => {
  const check = toCheck(vector);

  it('is accepted, in one piece and in parts', () => {
    const { text } = vector;
    expect(verifyHmac(check)).toBe(true);
    expect(verifyHmac({ ...check, signed: [text.slice(0, 5), Buffer.from(text.slice(5))] })).toBe(true);
  });

  it('is accepted in upper-case hex, which is the same bytes', () => {
    const digest = check.given?.slice(check.prefix?.length ?? 0).toUpperCase() ?? '';
    expect(verifyHmac({ ...check, given: (check.prefix ?? '') + digest })).toBe(true);
  });

  it('is refused for another body', () => {
    expect(verifyHmac({ ...check, signed: Buffer.from(`${vector.text} `) })).toBe(false);
  });
});

const [[, github]] = vectors as [(typeof vectors)[number]];
const check = toCheck(github);
const digest = check.given?.slice('sha256='.length) ?? '';

describe('verifyHmac', () => {
  it('takes any of several secrets, wherever it stands', () => {
    const [right, wrong] = [new Secret(github.secret), new Secret('another')];
    expect(verifyHmac({ ...check, secrets: [right, wrong] })).toBe(true);
    expect(verifyHmac({ ...check, secrets: [wrong, right] })).toBe(true);
    expect(verifyHmac({ ...check, secrets: [wrong] })).toBe(false);
  });

  it('knows base64, and takes it in its canonical form only', () => {
    const base64 = Buffer.from(digest, 'hex').toString('base64');
    const inBase64 = { ...check, encoding: 'base64', prefix: 'HMAC ' } as const;
    expect(verifyHmac({ ...inBase64, given: `HMAC ${base64}` })).toBe(true);
    for (const given of [
      base64.replace('=', ''),
      `${base64} `,
      base64.replace(/\+|\//g, '-'),
      ` ${base64}`,
    ]) {
      expect(verifyHmac({ ...inBase64, given: `HMAC ${given}` })).toBe(false);
    }
  });

  it.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['the prefix alone', 'sha256='],
    ['no prefix', digest],
    ['another prefix', `sha1=${digest}`],
    ['the prefix in upper case', `SHA256=${digest}`],
    ['half a digit less', `sha256=${digest.slice(1)}`],
    ['a byte less', `sha256=${digest.slice(2)}`],
    ['a byte more', `sha256=${digest}00`],
    ['something after it', `sha256=${digest}, sha256=${digest}`],
    ['a letter that is no digit', `sha256=${digest.slice(0, -1)}g`],
    ['a blank', `sha256=${digest} `],
  ])('refuses %s', (_, given) => {
    expect(verifyHmac({ ...check, given })).toBe(false);
  });

  it('refuses everything while there is no secret', () => {
    expect(verifyHmac({ ...check, secrets: [] })).toBe(false);
  });
});

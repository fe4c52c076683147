import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/connector/index.js';
import { Secret } from '../../src/core/secret.js';
import { describeConformance } from '../../test/conformance.js';
import { subject } from '../../test/conformance/subjects/confluence.js';
import { inWorld } from '../../test/conformance/world.js';
import { directContext } from '../../test/support/direct-context.js';
import {
  ADA,
  CLOUD_ID,
  EMAIL,
  SITE,
  isWellFormed,
  startFakeConfluence,
} from '../../test/support/fake-confluence.js';
import { createPage } from './actions/create.js';
import { updatePage } from './actions/update.js';
import { auth } from './auth.js';
import { confluence } from './index.js';
import { normalize } from './normalize.js';
import { toStorage } from './storage.js';

/** The same by API token, at the site's own address. */
const byToken = {
  ...subject,
  polling: { settings: { ...subject.polling?.settings, baseUrl: SITE } },
  provider: {
    ...subject.provider,
    settings: { baseUrl: SITE },
    async start(clock: Parameters<typeof subject.provider.start>[0]) {
      const fake = await subject.provider.start(clock);
      return {
        ...fake,
        credential: { email: new Secret(EMAIL), apiToken: new Secret('api_token_of_the_fake') },
      };
    },
  },
};

describe('by API token', () => {
  describeConformance(byToken);
});

describe('a grant', () => {
  it('tells its site as settings', () =>
    inWorld(subject, async ({ context }) => {
      expect(await auth.identify(context)).toEqual({
        account: { id: ADA, name: 'Ada', url: SITE },
        grantedScopes: ['read:confluence-user', 'read:page:confluence', 'write:page:confluence'],
        settings: { cloudId: CLOUD_ID, siteUrl: SITE },
      });
    }));
});

describe('updatePage', () => {
  it('refuses to overwrite what somebody else has changed', () =>
    inWorld(subject, async (world) => {
      const input = { page: '100001', body: 'Mine.', expectedVersion: '1' };
      await updatePage.execute(world.context, input);
      const late = updatePage.execute({ ...world.context, actionId: 'another' }, input);
      await expect(late).rejects.toMatchObject({
        details: { category: 'INVALID', code: 'version_conflict' },
      });
      expect(world.effects()).toBe(1);
    }));

  it('is told by Confluence when somebody was faster between our two requests', () =>
    inWorld(subject, async (world) => {
      const rival = { ...world.context, actionId: 'rival' };
      const context = {
        ...world.context,
        request: async (asked: Parameters<typeof rival.request>[0]) => {
          if (asked.method === 'PUT') await updatePage.execute(rival, { page: '100001', title: 'Theirs' });
          return world.context.request(asked);
        },
      };
      const late = updatePage.execute(context, { page: '100001', title: 'Mine' });
      await expect(late).rejects.toMatchObject({
        details: { category: 'INVALID', code: 'version_conflict', providerStatus: 409, isAmbiguous: false },
      });
    }));

  it('leaves the text as it is when only the title changes, and finds its version behind others', () =>
    inWorld(subject, async (world) => {
      const made = await updatePage.execute(world.context, { page: '100001', title: 'Start' });
      expect(world.fake.provider.requests.at(-1)?.body).toMatchObject({
        title: 'Start',
        body: { representation: 'storage', value: '<p>Welcome &amp; <em>hello</em></p>' },
        version: { number: 2 },
      });
      for (let each = 0; each < 60; each++) {
        await updatePage.execute(
          { ...world.context, actionId: `other-${each}` },
          { page: '100001', title: 'Start' },
        );
      }
      const found = await updatePage.reconcile?.(world.context, { page: '100001', title: 'Start' });
      expect(found?.output).toEqual(made.output);
    }));
});

describe('createPage', () => {
  const input = { parent: 'DOCS', title: 'One', body: 'a' };

  it.each([
    ['a space by its key', 'DOCS', { spaceId: '65537' }],
    ['a space by its number', '65537', { spaceId: '65537' }],
    ['a page', '100001', { spaceId: '65537', parentId: '100001' }],
  ])('goes under %s', (_, parent, place) =>
    inWorld(subject, async (world) => {
      await createPage.execute(world.context, { ...input, parent });
      const sent = world.fake.provider.requests.at(-1)?.body;
      expect(sent).toEqual({
        ...place,
        status: 'current',
        title: 'One',
        body: { representation: 'storage', value: '<p>a</p>' },
      });
    }),
  );

  it('says so when the title is taken, and takes nobody else’s page for ours', () =>
    inWorld(subject, async ({ context }) => {
      const taken = createPage.execute(context, { ...input, title: 'Home' });
      await expect(taken).rejects.toMatchObject({ details: { category: 'INVALID', code: 'title_exists' } });
      expect(await createPage.reconcile?.(context, { ...input, title: 'Home' })).toBeNull();
    }));

  it('says so when there is no such place', () =>
    inWorld(subject, async ({ context }) => {
      for (const parent of ['NONE', '7']) {
        const lost = createPage.execute(context, { ...input, parent });
        await expect(lost).rejects.toMatchObject({ details: { category: 'NOT_FOUND' } });
      }
    }));
});

describe('polling', () => {
  const request = { stream: 'pages:DOCS', since: new Date(0), now: new Date(0) };

  it('counts as seen what was newest at the beginning, and only at the end', async () => {
    let now = Date.parse('2026-11-20T12:00:00Z');
    const fake = await startFakeConfluence({ now: () => new Date(now) });
    const basic = `Basic ${Buffer.from(`${EMAIL}:${fake.apiToken}`).toString('base64')}`;
    const context = directContext(fake.provider.url, basic, { baseUrl: SITE });
    for (let made = 0; made < 600; made++) {
      now += 60_000;
      fake.publish(`Page ${made}`);
    }
    const found: string[] = [];
    let cursor: Json = null;
    for (let isComplete = false; !isComplete;) {
      const page = await confluence.poll!.page(context, { ...request, cursor });
      found.push(...page.events.map(({ id }) => id));
      ({ nextCursor: cursor, isComplete } = page);
      // What was seen changes, and moves to a page that has been read.
      now += 60_000;
      fake.edit(fake.pages[500]!);
    }
    const { events } = await confluence.poll!.page(context, { ...request, cursor });
    await fake.provider.close();
    expect(fake.pages.map(({ id }) => `page:${id}:created`).filter((id) => !found.includes(id))).toEqual([]);
    expect(events.map(({ type }) => type)).toContain('page_updated');
  });

  it('begins anew from what was seen when Confluence does not know its cursor any more', () =>
    inWorld(subject, async ({ context }) => {
      const seen = '2026-11-21T11:00:00.000Z';
      const cursor = { seen, newest: seen, next: 'forgotten', spaceId: '65537' };
      const page = await confluence.poll!.page(context, { ...request, cursor });
      expect(page).toEqual({ events: [], nextCursor: { seen, spaceId: '65537' }, isComplete: false });
    }));

  it('tells what became of a page, with a link for people', () =>
    inWorld(subject, async ({ context, fake }) => {
      const { events } = await confluence.poll!.page(context, { ...request, cursor: null });
      const [draft] = events.flatMap((event) => normalize({ ...event, receivedAt: new Date(0) }));
      expect(fake.provider.requests.map(({ path }) => path)).toContain(
        `/ex/confluence/${CLOUD_ID}/wiki/api/v2/pages`,
      );
      expect(draft).toEqual({
        identity: 'page:100001:created',
        type: 'page_published',
        occurredAt: new Date('2026-11-21T12:00:00.750Z'),
        resource: {},
        payload: {
          title: 'Home',
          space: 'DOCS',
          space_id: '65537',
          state: 'current',
          version: 1,
          actor: { id: '5b10ac8d82e05b22cc7d4ef5' },
          author: { id: '5b10ac8d82e05b22cc7d4ef5' },
        },
        canonicalKeys: { page_id: '100001', user_id: '5b10ac8d82e05b22cc7d4ef5' },
        evidence: [{ type: 'page', url: `${SITE}/wiki/spaces/DOCS/pages/100001/Home`, title: 'Home' }],
        correlationHints: [{ type: 'resource_id', value: '100001', confidence: 1 }],
      });
    }));

  it('has a signal for every event, whatever its body', () => {
    const type = fc.constantFrom('page_created', 'page_updated', 'comment_created', 'unheard_of');
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({ page: fc.jsonValue(), comment: fc.jsonValue(), site: fc.jsonValue() }),
    );
    fc.assert(
      fc.property(type, body, (name, value) => {
        const before = structuredClone(value);
        const event = { id: 'one', type: name, body: value, receivedAt: new Date(0) };
        const drafts = normalize(event);
        expect(drafts).toHaveLength(1);
        expect(normalize(structuredClone(event))).toEqual(drafts);
        expect(value).toEqual(before);
      }),
    );
  });
});

describe('Markdown in storage format', () => {
  it.each([
    ['a **b** _c_ ~~d~~ `e`', '<p>a <strong>b</strong> <em>c</em> <del>d</del> <code>e</code></p>'],
    ['a & b < c "d"', '<p>a &amp; b &lt; c &quot;d&quot;</p>'],
    ['## A', '<h2>A</h2>'],
    ['a  \nb', '<p>a<br />b</p>'],
    ['> a', '<blockquote><p>a</p></blockquote>'],
    ['- a\n- [x] b', '<ul><li>a</li><li>☑ b</li></ul>'],
    ['3. a', '<ol start="3"><li>a</li></ol>'],
    ['1. a\n\n   b', '<ol><li><p>a</p><p>b</p></li></ol>'],
    [
      '| a | b |\n|-|-|\n| c | d |',
      '<table><tbody><tr><th>a</th><th>b</th></tr><tr><td>c</td><td>d</td></tr></tbody></table>',
    ],
    ['[a](https://x.test/?a=1&b="2")', '<p><a href="https://x.test/?a=1&amp;b=&quot;2&quot;">a</a></p>'],
    ['[a](javascript:alert)', '<p>a</p>'],
    [
      '![a](https://x.test/i.png)',
      '<p><ac:image ac:alt="a"><ri:url ri:value="https://x.test/i.png" /></ac:image></p>',
    ],
    [
      '```ts\na < b ]]> c\n```',
      '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">ts</ac:parameter><ac:plain-text-body><![CDATA[a < b ]]]]><![CDATA[> c]]></ac:plain-text-body></ac:structured-macro>',
    ],
    ['<script>x</script>', '<p>&lt;script&gt;x&lt;/script&gt;</p>'],
    ['---', '<hr />'],
    ['', ''],
  ])('of %j', (markdown, storage) => {
    expect(toStorage(markdown)).toBe(storage);
    expect(isWellFormed(storage)).toBe(true);
  });

  it('is well-formed, whatever the text', () => {
    const pieces = fc.constantFrom(
      '*',
      '**',
      '`',
      '[a](https://x.test)',
      '![<](http://x)',
      '> ',
      '- ',
      '- [ ] ',
      '1. ',
      '| a | b |\n|-|-|\n',
      '\n',
      '\n\n',
      '# ',
      '<br>',
      '<',
      '&',
      ']]>',
      '    ',
      '"',
      '---\n',
      '```\n',
    );
    const markdown = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(markdown, (text) => {
        expect([text, toStorage(text), isWellFormed(toStorage(text))]).toEqual([text, toStorage(text), true]);
      }),
      { numRuns: 500 },
    );
  });
});

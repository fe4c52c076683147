import { describe, expect, it } from 'vitest';
import { subject } from '../../test/conformance/subjects/notion.js';
import { failureOf, inWorld } from '../../test/conformance/world.js';
import { answer } from '../../test/support/fake-behavior.js';
import { HOME, TASKS, notionError } from '../../test/support/fake-notion.js';
import { appendBlocks } from './actions/append.js';
import { createPage } from './actions/create.js';
import { updatePage } from './actions/update.js';

// Only what conformance can't know.

const paragraphs = (count: number): string =>
  Array.from({ length: count }, (_, n) => `Line ${n}.`).join('\n\n');

function linesIn(blocks: readonly unknown[] | undefined): string[] {
  const texts = JSON.stringify(blocks ?? []).matchAll(/Line (\d+)\./g);
  return [...texts].map(([, number]) => number ?? '');
}

describe('createPage', () => {
  it('says what was asked in Notion’s words', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const { externalId, url, output } = await createPage.execute(context, {
        parent: HOME,
        title: 'The door',
      });
      expect(output).toEqual({ pageId: externalId, url });
      expect(fake.provider.requests.map(({ body }) => body)).toEqual([
        {
          parent: { page_id: HOME },
          properties: { title: { title: [{ type: 'text', text: { content: 'The door' } }] } },
        },
      ]);
    });
  });

  it('fills the title of a data source by the name it has there', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      await createPage.execute(context, { parent: `data_source:${TASKS}`, title: 'Oil the hinges' });
      expect(fake.provider.requests.at(-1)?.body).toEqual({
        parent: { data_source_id: TASKS },
        properties: { Task: { title: [{ type: 'text', text: { content: 'Oil the hinges' } }] } },
      });
    });
  });

  it('sends a long text in several requests, in its order', async () => {
    const fake = await inOrder(250);
    expect(fake.requests).toEqual(['POST /pages', 'PATCH children', 'PATCH children']);
    expect(fake.lines).toEqual(Array.from({ length: 250 }, (_, n) => String(n)));
  });

  async function inOrder(count: number) {
    let seen = { requests: [] as string[], lines: [] as string[] };
    await inWorld(subject, async ({ fake, context }) => {
      const input = { parent: HOME, title: 'Long', body: paragraphs(count) };
      await createPage.execute(context, input);
      const { requests } = fake.provider;
      seen = {
        requests: requests.map(
          ({ method, path }) => `${method} ${path.replace(/^.*\/children$/, 'children')}`,
        ),
        lines: linesIn(requests.map(({ body }) => body)),
      };
    });
    return seen;
  }

  it.each(['Home', 'data_source:', '5f0c', `space:${HOME}`])(
    'sends nothing to a parent %j',
    async (parent) => {
      await inWorld(subject, async ({ fake, context }) => {
        const { details } = await failureOf(createPage.execute(context, { parent, title: 'x' }));
        expect(details).toMatchObject({ category: 'INVALID', code: 'invalid_page' });
        expect(fake.provider.requests).toEqual([]);
      });
    },
  );
});

describe('appendBlocks', () => {
  it('names all that was added', async () => {
    await inWorld(subject, async ({ context }) => {
      const { output } = await appendBlocks.execute(context, { page: HOME, body: paragraphs(120) });
      expect(output['blockIds']).toHaveLength(120);
    });
  });

  it('ends where a request fails: what follows would stand in the wrong place', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      let sent = 0;
      const second = ({ method }: { readonly method: string }) => method === 'PATCH' && ++sent === 2;
      fake.provider.next(second, answer(notionError(409)));
      const { details } = await failureOf(
        appendBlocks.execute(context, { page: HOME, body: paragraphs(250) }),
      );
      expect(details).toMatchObject({ code: 'conflict_error' });
      expect(fake.provider.requests).toHaveLength(2);
    });
  });

  it('sends no text that says nothing', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const { details } = await failureOf(appendBlocks.execute(context, { page: HOME, body: '<!-- x -->' }));
      expect(details).toMatchObject({ category: 'INVALID', code: 'no_text' });
      expect(fake.provider.requests).toEqual([]);
    });
  });
});

describe('updatePage', () => {
  it('replaces title and text, and changes nothing by being said again', async () => {
    await inWorld(subject, async ({ fake, context, effects }) => {
      const input = { page: HOME, title: 'House', body: 'It **closes** <callout>.' };
      const outcome = await updatePage.execute(context, input);
      expect(await updatePage.execute(context, input)).toEqual(outcome);
      expect(effects()).toBe(2);
      const bodies = fake.provider.requests.map(({ method, path, body }) => [method, path, body]);
      expect(bodies.slice(0, 3)).toEqual([
        ['GET', `/pages/${HOME}`, undefined],
        [
          'PATCH',
          `/pages/${HOME}`,
          { properties: { title: { title: [{ type: 'text', text: { content: 'House' } }] } } },
        ],
        [
          'PATCH',
          `/pages/${HOME}/markdown`,
          { type: 'replace_content', replace_content: { new_str: 'It **closes** \\<callout\\>.' } },
        ],
      ]);
    });
  });

  it('does not pretend to know versions', async () => {
    await inWorld(subject, async ({ fake, context }) => {
      const input = { page: HOME, title: 'x', expectedVersion: '7' };
      const { details } = await failureOf(updatePage.execute(context, input));
      expect(details).toMatchObject({ category: 'INVALID', code: 'unsupported_version' });
      expect(fake.provider.requests).toEqual([]);
    });
  });
});

import { Client, LogLevel } from '@notionhq/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BOT, HOME, startFakeNotion } from '../../test/support/fake-notion.js';
import { type Block, toBlocks } from './blocks.js';

type Options = NonNullable<ConstructorParameters<typeof Client>[0]>;
type Children = NonNullable<Parameters<Client['pages']['create']>[0]['children']>;

/** Notion's client sends what its types let through; whether ours would pass them is not for a compiler to see. */
const asChildren = (blocks: readonly Block[]): Children => blocks as unknown as Children;

describe('the fake', () => {
  it('answers Notion’s own client, and takes blocks from its hand', async () => {
    const fake = await startFakeNotion({ now: () => new Date('2026-11-21T12:00:00Z') });
    onTestFinished(() => fake.provider.close());
    const client = new Client({
      auth: fake.token,
      retry: false,
      logLevel: LogLevel.ERROR,
      // Node's own, but for the place; the client describes it in types of its own.
      fetch: ((url: string, init: RequestInit) =>
        fetch(url.replace('https://api.notion.com/v1', fake.provider.url), init)) as unknown as NonNullable<
        Options['fetch']
      >,
    });
    expect(await client.users.me({})).toMatchObject({ id: BOT, type: 'bot' });
    const page = await client.pages.create({
      parent: { page_id: HOME },
      properties: { title: { title: [{ text: { content: 'The door' } }] } },
      children: asChildren(toBlocks('- a\n  - b\n\n| a |\n|-|\n| 1 |')),
    });
    const added = await client.blocks.children.append({
      block_id: page.id,
      children: asChildren(toBlocks('```ts\na\n```')),
    });
    expect(added.results).toHaveLength(1);
    expect(fake.blocks.get(page.id)).toHaveLength(3);
    const found = await client.search({ filter: { property: 'object', value: 'page' }, page_size: 1 });
    expect(found).toMatchObject({ has_more: true, results: [{ id: page.id }] });
    await expect(client.pages.retrieve({ page_id: BOT })).rejects.toMatchObject({ code: 'object_not_found' });
  });
});

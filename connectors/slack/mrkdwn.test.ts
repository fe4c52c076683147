import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toMrkdwn } from './mrkdwn.js';

describe('Markdown for Slack', () => {
  it.each([
    ['**bold** and *slanted* and ~~gone~~', '*bold* and _slanted_ and ~gone~'],
    ['# Doors\n\nAll of them.', '*Doors*\n\nAll of them.'],
    ['# **Doors**', '*Doors*'],
    ['***both***', '_*both*_'],
    ['`a < b`', '`a &lt; b`'],
    ['`` a ` b ``', 'a ` b'],
    ['```ts\nif (a < b) {}\n```', '```\nif (a &lt; b) {}\n```'],
    ['- one\n- two\n  - three', '• one\n• two\n    • three'],
    ['3. one\n4. two', '3. one\n4. two'],
    ['- [x] done\n- [ ] open', '• ☑ done\n• ☐ open'],
    ['> said\n> twice', '> said\n> twice'],
    ['a | b\n-|-\n1 | 2', 'a | b\n1 | 2'],
    ['one  \ntwo', 'one\ntwo'],
    ['**one  \ntwo**', '*one*\n*two*'],
    ['---', '———'],
    ['[the door](https://shop.example/door?a=1&b=2)', '<https://shop.example/door?a=1&amp;b=2|the door>'],
    ['https://shop.example/door', '<https://shop.example/door>'],
    ['![the door](https://shop.example/door.png)', '<https://shop.example/door.png|the door>'],
    ['[run](javascript:alert(1))', 'run'],
    ['[a\nb](https://shop.example/x)', '<https://shop.example/x|a b>'],
  ])('%j is %j', (markdown, expected) => {
    expect(toMrkdwn(markdown)).toBe(expected);
  });

  it.each([
    '<!channel>',
    '&lt;!here&gt;',
    '\\<!everyone>',
    '`<!channel>`',
    '```\n<!channel>\n```',
    '[<!channel>](https://shop.example)',
    '[x](https://shop.example/><!channel>)',
    '[x](<https://shop.example/|y> <!channel>)',
    '![<@U0ADA00001>](https://shop.example)',
    '| <!channel> |\n|-|\n| <!here> |',
    '> <!channel>',
    '# <!channel>',
    '<!subteam^S0DOORS001>',
    '[<!channel>]',
    '[a]\n\n[a]: <!channel>',
  ])('%j mentions nobody', (markdown) => {
    expect(toMrkdwn(markdown)).not.toMatch(/<[!@#]/);
  });

  it('has no angle bracket but around an address, whatever it is made of', () => {
    const bits = [
      '<',
      '>',
      '!',
      '@',
      '|',
      '&',
      'channel',
      '[',
      ']',
      '(',
      ')',
      '`',
      '*',
      '_',
      '~',
      '\n',
      ' ',
      '\\',
    ];
    const text = fc.array(fc.constantFrom(...bits, 'https://a.example/', 'x', '#', '-', '&lt;', '&#60;'));
    const property = fc.property(text, (parts) => {
      const rest = toMrkdwn(parts.join('')).replaceAll(/<(https?:\/\/|mailto:)[^<>|\s]*(\|[^<>\n]*)?>/g, '');
      // A quote begins with one.
      expect(rest.replaceAll(/^(?:\s|•|\d+\.)*(?:> )+/gm, '')).not.toMatch(/[<>]/);
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  it('reads a text of many line breaks in no time', () => {
    const markdown = `**a${'&#10;'.repeat(13_000)}b**`;
    const before = performance.now();
    toMrkdwn(markdown);
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

import { type ActionSpec, invalid, textAt } from '../../../src/connector/index.js';
import { unexpectedAnswer } from '../answer.js';
import { requireIssue } from './target.js';

/** https://docs.github.com/en/rest/reactions/reactions#about-reactions: there are no others. */
const REACTIONS = new Set(['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes']);

/** What people call the two thumbs elsewhere. */
const ALIASES: Readonly<Record<string, string>> = { thumbsup: '+1', thumbsdown: '-1' };

/**
 * Nobody reacts twice in the same way: the second time GitHub answers what is there already, by 200 in place of 201.
 * https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue
 */
export const addReaction: ActionSpec<'addReaction'> = {
  title: 'React to an issue',
  description: `Adds a reaction to an issue or pull request: ${[...REACTIONS].join(', ')}.`,
  requiredScopes: ['repo', 'public_repo'],
  idempotency: 'NATIVE',
  outputSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: { name: { enum: [...REACTIONS] } },
  },

  async execute(context, { issue, project, name }) {
    if (issue === undefined) throw invalid('unsupported_target', 'GitHub has no channels: name an issue.');
    const content = requireReaction(name);
    const response = await context.request({
      method: 'POST',
      path: '/repos/{owner}/{repo}/issues/{number}/reactions',
      params: { ...requireIssue(issue, project) },
      body: { content },
    });
    const externalId = textAt(response.body, 'id');
    if (!externalId || textAt(response.body, 'content') !== content) {
      throw unexpectedAnswer(response, 'the reaction', { isAmbiguous: true });
    }
    return { externalId, output: { name: content } };
  },
};

function requireReaction(name: string): string {
  const content = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  if (REACTIONS.has(content)) return content;
  const known = [...REACTIONS].join(', ');
  throw invalid('invalid_reaction', `GitHub’s reactions are ${known}, not ${JSON.stringify(name)}.`);
}

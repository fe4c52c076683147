import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Jira promises. */
export const unexpectedAnswer = unexpectedAnswerOf('Jira');

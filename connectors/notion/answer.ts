import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Notion promises. */
export const unexpectedAnswer = unexpectedAnswerOf('Notion');

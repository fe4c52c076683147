import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Confluence promises. */
export const unexpectedAnswer = unexpectedAnswerOf('Confluence');

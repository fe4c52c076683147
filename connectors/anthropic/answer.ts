import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Anthropic promises. */
export const unexpectedAnswer = unexpectedAnswerOf('Anthropic');

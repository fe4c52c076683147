import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what OpenAI promises. */
export const unexpectedAnswer = unexpectedAnswerOf('OpenAI');

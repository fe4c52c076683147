import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Linear promises. */
export const unexpectedAnswer = unexpectedAnswerOf('Linear');

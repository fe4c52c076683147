import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what GitHub promises. */
export const unexpectedAnswer = unexpectedAnswerOf('GitHub');

import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Example promises. A write that ends like this may have had its effect: it is ambiguous. */
export const unexpectedAnswer = unexpectedAnswerOf('Example');

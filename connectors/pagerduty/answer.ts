import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what PagerDuty promises. */
export const unexpectedAnswer = unexpectedAnswerOf('PagerDuty');

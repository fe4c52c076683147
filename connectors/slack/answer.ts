import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what Slack promises. */
export const unexpectedAnswer = unexpectedAnswerOf('Slack');

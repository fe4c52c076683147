import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what GitLab promises. */
export const unexpectedAnswer = unexpectedAnswerOf('GitLab');

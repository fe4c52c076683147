import { unexpectedAnswerOf } from '../../src/connector/index.js';

/** For a success without what the settings say is there. */
export const unexpectedAnswer = unexpectedAnswerOf('The service');

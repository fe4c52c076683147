// The connector SPI: all that a file under connectors/ may import.
export * from './connector.js';
export * from './context.js';
export * from './failure.js';
export * from './json.js';
export * from './manifest.js';
export * from './oauth.js';
export * from './poll.js';
export * from './registration.js';
export * from './signal.js';
export * from './signature.js';
export * from './verbs.js';
export * from './webhook.js';
export type { Secret } from '../core/secret.js';

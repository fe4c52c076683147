/** For programs that follow the feed, in Node and in browsers: it needs graphql-ws and a WebSocket, and nothing of the server. */
export { type Cut, FeedRefused } from './cut.js';
export { type FollowOptions, type Received, followSignals } from './follow.js';
export { type LinkOptions, SIGNALS, type SocketClass } from './link.js';

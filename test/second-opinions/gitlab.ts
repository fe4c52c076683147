export { standard as opinion } from './standard.js';

import { Founding } from './founding.js';
import { Rotation } from './rotation.js';

/** In the order they run. Published ones never change; a change is a new file at the end. */
export const migrations = [
  { name: 'founding', class: Founding },
  { name: 'rotation', class: Rotation },
];

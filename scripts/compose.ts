import { readFileSync } from 'node:fs';
import composition from '@apollo/composition';
import { parse } from 'graphql';
import { buildSchema } from '../resolvers/schema.js';

/** Composes this subgraph with one that hangs fields on its entities; ends with code 1 and every reason when it can't. */
const subgraphs = [
  { name: 'tributary', url: 'http://127.0.0.1:4000/graphql', typeDefs: parse(buildSchema().sdl) },
  {
    name: 'services',
    url: 'http://127.0.0.1:4001/graphql',
    typeDefs: parse(readFileSync('schema/services.graphql', 'utf8')),
  },
];
const { errors = [] } = composition.composeServices(subgraphs);
for (const error of errors) process.stderr.write(`${error.message}\n`);
if (errors.length > 0) process.exitCode = 1;
else process.stdout.write(`Composes: ${subgraphs.map(({ name }) => name).join(' + ')}.\n`);

import { buildSchema } from '../resolvers/schema.js';
import { writeOrCheck } from './generated.js';

writeOrCheck('schema/tributary.graphql', buildSchema().sdl, 'npm run schema');

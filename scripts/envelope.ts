import { envelopeSchema } from '../src/signal/envelope-schema.js';
import { writeOrCheck } from './generated.js';

const text = `${JSON.stringify(envelopeSchema, null, 2)}\n`;
writeOrCheck('schema/signal-envelope.schema.json', text, 'npm run schema');

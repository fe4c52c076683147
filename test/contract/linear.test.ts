import { linear } from '../../connectors/linear/index.js';
import { subject } from '../conformance/subjects/linear.js';
import { describeContract } from './describe.js';

describeContract({ connector: linear, description: 'linear/schema.graphql', subject });

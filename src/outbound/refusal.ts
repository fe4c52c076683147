import { type FailureCategory, ProviderFailure } from '../connector/index.js';

/** Which of our guards said no. */
export type Guard = 'limit' | 'pause' | 'budget' | 'circuit' | 'bulkhead' | 'address';

export interface RefusalDetails {
  readonly guard: Guard;
  readonly category: FailureCategory;
  readonly code: string;
  readonly message: string;
  readonly retryAt?: Date;
}

/** A guard of ours said no: the provider was not asked, so nothing is known of it and nothing can have happened. */
export class Refusal extends ProviderFailure {
  readonly guard: Guard;

  constructor({ guard, ...details }: RefusalDetails) {
    super({ ...details, isAmbiguous: false });
    this.guard = guard;
  }
}

import type { RawDelivery, Secret } from '../../src/connector/index.js';
import type { Unsigned } from '../conformance/subject.js';

/** How somebody else signs and checks a provider's webhooks: the provider's own library, or one that many use. */
export interface Opinion {
  /** The package, as it is known at the registry. */
  readonly library: string;
  /** Left out where it only checks. */
  sign?(unsigned: Unsigned, secret: Secret, at: Date): RawDelivery | Promise<RawDelivery>;
  /** What it makes of a delivery. A throw counts as no. `at` is its clock where it lets one be set. */
  verify(delivery: RawDelivery, secret: Secret, at: Date): unknown;
}

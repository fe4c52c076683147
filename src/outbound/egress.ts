import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Thrown when the egress policy forbids an address. The message names it and the variable that would allow it. */
export class EgressRefused extends Error {
  override readonly name = 'EgressRefused';
}

export interface EgressPolicy {
  /** Throws {@link EgressRefused} for a URL that may not be called: another scheme, or a forbidden literal address. */
  checkUrl(url: URL): void;
  /**
   * Resolves a name and answers allowed addresses only. The socket connects to exactly what this returns, so an
   * answer that changes between check and connect changes nothing.
   */
  readonly lookup: LookupFunction;
}

type Resolve = typeof dnsLookup;

/**
 * Only addresses of the public internet may be called; private, loopback, link-local, multicast and metadata
 * addresses are refused unless `allow` holds a range (CIDR) they lie in. Throws at once for a range it can't read.
 */
export function createEgressPolicy(allow: readonly string[], resolve: Resolve = dnsLookup): EgressPolicy {
  const allowed = allow.map(parseRange);

  function isAllowed(text: string): boolean {
    // process() unwraps IPv4 inside IPv6, so that ::ffff:127.0.0.1 is seen for what it is.
    const address = ipaddr.process(text);
    if (isPublic(address)) return true;
    return allowed.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  }

  return {
    checkUrl(url) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:') {
        throw new EgressRefused(`Only http and https may be called, not ${url.protocol}`);
      }
      // A literal address never passes a look-up, so it has to be judged here.
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(host) && !isAllowed(host)) throw refuse(host);
    },
    lookup(hostname, options, callback) {
      resolve(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, '');
        const permitted = addresses.filter(({ address }) => isAllowed(address));
        const [first] = permitted;
        if (!first) return callback(refuse(hostname), '');
        if (options.all) return callback(null, permitted);
        callback(null, first.address, first.family);
      });
    },
  };
}

/** IANA has given out nothing but this of IPv6's unicast space (RFC 4291 §2.4 and the registry it refers to). */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Looks public and isn't: where Azure's virtual machines find their host's metadata. */
const AZURE_HOST = '168.63.129.16';

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || address.toString() === AZURE_HOST) return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_IPV6);
}

function refuse(target: string): EgressRefused {
  return new EgressRefused(
    `${target} is not a public address. To call it all the same, add its range to EGRESS_ALLOW.`,
  );
}

function parseRange(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    return ipaddr.parseCIDR(text);
  } catch (error) {
    throw new Error(`EGRESS_ALLOW: ${text} is not a CIDR range such as 10.0.0.0/8`, { cause: error });
  }
}

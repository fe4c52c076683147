/**
 * Everything a connector is held to. An id never changes its meaning and is never used again: reports, issues and
 * other people's builds refer to it. MUST and SHOULD as in RFC 2119; so far there are only MUSTs.
 */
export const conformanceChecks = {
  'META-01': ['MUST', 'id equals folder'],
  'META-02': ['MUST', 'every address is https'],
  'META-03': ['MUST', 'every trigger is a canonical signal type, by a capability the connector has'],
  'META-04': ['MUST', 'every scope has a reason'],
  'META-05': ['MUST', 'every JSON Schema compiles'],
  'META-06': ['MUST', 'README exists'],
  'META-07': ['MUST', 'every action has title, description and an output schema'],
  'META-08': ['MUST', 'every scope an action requires is declared'],

  'AUTH-01': ['MUST', 'identify tells the account'],
  'AUTH-02': ['MUST', 'a wrong credential is an AUTH failure'],
  'AUTH-03': ['MUST', 'the credential travels in headers only'],
  'AUTH-04': ['MUST', 'an access token of OAuth signs, whatever else a credential may hold'],

  'WEBHOOK-01': ['MUST', 'signed delivery is accepted'],
  'WEBHOOK-02': ['MUST', 'unsigned delivery is refused'],
  'WEBHOOK-03': ['MUST', 'altered byte is refused'],
  'WEBHOOK-04': ['MUST', 'signature of the wrong length is refused'],
  'WEBHOOK-05': ['MUST', 're-serialised body is refused'],
  'WEBHOOK-06': ['MUST', 'wrong secret is refused'],
  'WEBHOOK-07': ['MUST', 'everything is refused while there is no secret'],
  'WEBHOOK-08': ['MUST', 'stale delivery, and one from the future, is refused'],
  'WEBHOOK-09': ['MUST', 'new and previous secret are both accepted while rotating'],
  'WEBHOOK-10': ['MUST', 'verify never throws, whatever comes'],
  'WEBHOOK-11': ['MUST', 'a signed body that can’t be read is a MalformedDelivery'],
  'WEBHOOK-12': ['MUST', 'a redelivery has the same identity'],
  'WEBHOOK-13': ['MUST', 'an altered timestamp is refused'],
  'WEBHOOK-14': ['MUST', 'no event is taken for a handshake'],
  'WEBHOOK-15': ['MUST', 'handshake and account are looked for in any JSON without throwing'],

  'WEBHOOK-REG-01': ['MUST', 'register sets a webhook up with our URL and secret, and answers its id'],
  'WEBHOOK-REG-02': ['MUST', 'register asks for the least events that bring what is wanted'],
  'WEBHOOK-REG-03': ['MUST', 'register brings into line what is there by our URL or id, and nothing else'],
  'WEBHOOK-REG-04': ['MUST', 'register makes no second webhook after a lost answer'],
  'WEBHOOK-REG-05': ['MUST', 'update replaces URL and secret, and nothing else'],
  'WEBHOOK-REG-06': ['MUST', 'unregister takes it away, and tolerates that it is gone'],
  'WEBHOOK-REG-07': ['MUST', 'what the provider does not do is a ProviderFailure of its category'],
  'WEBHOOK-REG-08': ['MUST', 'a success without an id is a failure, and ambiguous'],
  'WEBHOOK-REG-09': ['MUST', 'the webhook’s secret travels in bodies only, and is in no error or log line'],

  'NORMALIZE-01': ['MUST', 'every fixture gives the expected signals'],
  'NORMALIZE-02': ['MUST', 'the same event always gives the same signals'],
  'NORMALIZE-03': ['MUST', 'the event is not changed'],
  'NORMALIZE-04': ['MUST', 'any JSON gives at least one signal'],
  'NORMALIZE-05': ['MUST', 'an unknown event is kept as one provider_event'],
  'NORMALIZE-06': ['MUST', 'reserved names are left to the core'],
  'NORMALIZE-07': ['MUST', 'identity has 1 to 255 characters and is unique within its event'],
  'NORMALIZE-08': ['MUST', 'signals survive JSON unchanged'],
  'NORMALIZE-09': ['MUST', 'signals are well-formed'],
  'NORMALIZE-10': ['MUST', 'every signal type made is declared as a trigger'],
  'NORMALIZE-11': ['MUST', 'identity comes from what happened, not from its delivery'],
  'NORMALIZE-12': ['MUST', 'what is redacted makes no difference to the signals'],
  'NORMALIZE-13': ['MUST', 'the order of events makes no difference to their signals'],

  'POLL-01': ['MUST', 'streams have names of their own'],
  'POLL-02': ['MUST', 'pages lead to the end, and to all that triggers announce'],
  'POLL-03': ['MUST', 'a cursor survives JSON'],
  'POLL-04': ['MUST', 'from any cursor on, what is left is found'],
  'POLL-05': ['MUST', 'what is found again has the same id'],
  'POLL-06': ['MUST', 'poll and webhook give one thing one identity'],
  'POLL-07': ['MUST', 'what happens after a poll is found by the next'],
  'POLL-08': ['MUST', 'what the provider does not do is a ProviderFailure of its category'],
  'POLL-09': ['MUST', 'a success without what was promised is a PROVIDER failure'],
  'POLL-10': ['MUST', 'places in a stream do not depend on our clock'],
  'POLL-11': ['MUST', 'events survive JSON unchanged'],

  'ACTION-01': ['MUST', 'success has an id and valid output'],
  'ACTION-02': ['MUST', 'success has exactly one effect'],
  'ACTION-03': ['MUST', '401 is AUTH'],
  'ACTION-04': ['MUST', '403 is AUTH'],
  'ACTION-05': ['MUST', '404 is NOT_FOUND'],
  'ACTION-06': ['MUST', '409 is INVALID'],
  'ACTION-07': ['MUST', '422 is INVALID'],
  'ACTION-08': ['MUST', '500 is PROVIDER and ambiguous'],
  'ACTION-09': ['MUST', '503 is PROVIDER and ambiguous'],
  'ACTION-10': ['MUST', 'being throttled is RATE_LIMIT and says until when'],
  'ACTION-11': ['MUST', 'a refused connection is NETWORK and not ambiguous'],
  'ACTION-12': ['MUST', 'a reset in the middle of the answer is NETWORK and ambiguous'],
  'ACTION-13': ['MUST', 'a reset before the answer is NETWORK and ambiguous'],
  'ACTION-14': ['MUST', 'an unreadable answer is PROVIDER and ambiguous'],
  'ACTION-15': ['MUST', 'a success without what was promised is a failure, and ambiguous'],
  'ACTION-16': ['MUST', 'after a lost answer there is one effect, and it is found again'],
  'ACTION-17': ['MUST', 'reconcile answers null when nothing was done'],
  'ACTION-18': ['MUST', 'reconcile finds the effect behind pages of other things'],
  'ACTION-19': ['MUST', 'reconcile names what the answer named'],
  'ACTION-20': ['MUST', 'the credential appears in no error, outcome or log line'],
  'ACTION-21': ['MUST', 'no answer in time is NETWORK and ambiguous'],
} as const satisfies Record<string, readonly ['MUST' | 'SHOULD', string]>;

export type CheckId = keyof typeof conformanceChecks;

/** One check of one connector, ready to run. It fails by throwing. */
export interface ConformanceTest {
  readonly id: CheckId;
  /** The id, its sentence, and which part of the connector it is about. */
  readonly name: string;
  run(this: void): void | Promise<void>;
}

export function check(id: CheckId, run: () => void | Promise<void>, about?: string): ConformanceTest {
  const name = `${id} ${conformanceChecks[id][1]}`;
  return { id, name: about ? `${name}: ${about}` : name, run };
}

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Action = 'check' | 'next' | 'complete';

/** What a router is told of a subscription. */
export interface Message {
  readonly kind: string;
  readonly action: Action;
  readonly id: string;
  readonly verifier: string;
  readonly payload?: { readonly data?: Record<string, unknown>; readonly errors?: readonly object[] };
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
}

/** A subscription that a client has at the router. */
export interface RouterSubscription {
  /** `extensions.subscription` of the request that begins it at the subgraph. */
  readonly extension: Readonly<Record<string, unknown>>;
  readonly messages: readonly Message[];
  /** Of each message. */
  readonly headers: readonly NodeJS.Dict<string | string[]>[];
  told(action: Action): Message[];
  /** Statuses that the next messages of this kind are answered with; then it is as before. */
  answer(action: Action, ...statuses: number[]): void;
  /** The client has left: from now on every message is answered 404. */
  forget(): void;
}

/**
 * The half of Apollo's router that speaks with subscriptions by HTTP callback:
 * https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/callback-protocol
 */
export interface Router {
  /** `public_url`. */
  readonly url: string;
  subscription(more?: object): RouterSubscription;
  close(): Promise<void>;
}

interface Known {
  readonly verifier: string;
  readonly messages: Message[];
  readonly headers: NodeJS.Dict<string | string[]>[];
  readonly planned: { readonly action: Action; readonly status: number }[];
  isForgotten: boolean;
}

export async function startRouter(): Promise<Router> {
  const known = new Map<string, Known>();

  function statusFor(subscription: Known, { action, verifier }: Message): number {
    if (subscription.isForgotten) return 404;
    if (verifier !== subscription.verifier) return 401;
    const index = subscription.planned.findIndex((plan) => plan.action === action);
    return index === -1 ? 204 : (subscription.planned.splice(index, 1)[0]?.status ?? 500);
  }

  const server = createServer((request, response) => {
    void (async () => {
      const message = (await json(request)) as Message;
      const subscription = known.get(message.id);
      const isThere = subscription && request.url === `/callback/${message.id}`;
      const status = isThere ? statusFor(subscription, message) : 404;
      subscription?.messages.push(message);
      subscription?.headers.push(request.headers);
      response.writeHead(status, { 'subscription-protocol': 'callback/1.0' }).end();
    })();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return {
    url,
    subscription(more = {}) {
      const id = randomUUID();
      const one: Known = {
        verifier: randomUUID(),
        messages: [],
        headers: [],
        planned: [],
        isForgotten: false,
      };
      known.set(id, one);
      const { verifier, messages, headers, planned } = one;
      return {
        extension: {
          callbackUrl: `${url}/${id}`,
          subscriptionId: id,
          verifier,
          heartbeatIntervalMs: 0,
          ...more,
        },
        messages,
        headers,
        told: (action) => messages.filter((message) => message.action === action),
        answer: (action, ...statuses) => planned.push(...statuses.map((status) => ({ action, status }))),
        forget: () => {
          one.isForgotten = true;
        },
      };
    },
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

import { at, textAt } from '../../src/connector/index.js';
import { type FakeAnswer, type FakeProvider, startFakeProvider } from './fake-provider.js';

/** Some service that a tenant describes by settings: orders, which can be made. */
export async function startFakeService(): Promise<{
  readonly provider: FakeProvider;
  readonly token: string;
}> {
  const provider = await startFakeProvider();
  const token = 'fake-service-token-4711';
  const on = (route: string, handle: Parameters<FakeProvider['on']>[1]): void =>
    provider.on(route, (request, params) =>
      request.headers['authorization'] === `Bearer ${token}` ? handle(request, params) : serviceError(401),
    );
  on('GET /me', () => ({ status: 200, body: { account: { id: 'acc-7' } } }));
  on('POST /shops/{shop}/orders', ({ body }, { shop }) => {
    if (textAt(body, 'sku') === undefined) return serviceError(422);
    provider.addEffect('order');
    const id = `order-${provider.effects.get('order')}`;
    const url = `https://shop.example.com/${shop}/${id}`;
    return { status: 201, body: { order: { id, url, sku: at(body, 'sku') } } };
  });
  return { provider, token };
}

export function serviceError(status: number): FakeAnswer {
  return { status, body: { error: `The service says ${status}.` } };
}

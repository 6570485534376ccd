import { createServer } from 'node:net';
import { LictorError, Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { PeerRpcCall, PeerRpcHandler } from './ports.ts';
import { type Peers, type PeersOptions, startPeers } from './testing/peers.ts';

const started: Peers[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((peers) => peers.stop()));
});

async function start(
  handler: PeerRpcHandler,
  options?: PeersOptions,
): Promise<Peers & { call: (request: unknown, signal?: AbortSignal) => Promise<unknown> }> {
  const peers = await startPeers(handler, options);
  started.push(peers);
  const call = (request: unknown, signal?: AbortSignal): Promise<unknown> =>
    peers.client.call(peers.address, 'KVS.Get', request, signal === undefined ? {} : { signal });
  return { ...peers, call };
}

/** Handlers that answer when told to. */
function gate(): {
  readonly calls: PeerRpcCall[];
  readonly handler: PeerRpcHandler;
  readonly arrived: (count: number) => Promise<void>;
  readonly answer: (at: number, value: unknown) => void;
} {
  const calls: PeerRpcCall[] = [];
  const answers: ((value: unknown) => void)[] = [];
  let wake = (): void => undefined;
  return {
    calls,
    handler: (call) => {
      calls.push(call);
      wake();
      return new Promise((resolve) => answers.push(resolve));
    },
    arrived: async (count) => {
      while (calls.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    answer: (at, value) => answers[at]?.(value),
  };
}

const echo: PeerRpcHandler = ({ request }) => Promise.resolve(request);

describe('a call between servers', () => {
  it('brings method, request, token, datacenter and query, and takes back the whole reply', async () => {
    let seen: PeerRpcCall | undefined;
    const { client, address } = await start((call) => {
      seen = call;
      return Promise.resolve({ index: 7, value: { Key: 'a', Value: Buffer.from([1, 2]), list: [1, null, 'x', true, 1.5] } });
    });
    const query = { consistency: 'stale', maxStaleMs: 5, minIndex: 9, maxWaitMs: 10, appliedIndex: 3 } as const;
    const reply = await client.call(address, 'KVS.List', { prefix: 'a/' }, { token: new Secret('root'), datacenter: 'dc1', query });
    expect(reply).toEqual({ index: 7, value: { Key: 'a', Value: Buffer.from([1, 2]), list: [1, null, 'x', true, 1.5] } });
    expect(seen?.method).toBe('KVS.List');
    expect(seen?.request).toEqual({ prefix: 'a/' });
    expect(seen?.options.token?.reveal()).toBe('root');
    expect(seen?.options.datacenter).toBe('dc1');
    expect(seen?.options.query).toEqual(query);
  });

  it('answers many calls of one stream, each its own caller, in any order', async () => {
    const { calls, handler, arrived, answer } = gate();
    const { call } = await start(handler);
    const replies = Promise.all(Array.from({ length: 100 }, (_, at) => call({ at })));
    await arrived(100);
    for (let at = 99; at >= 0; at--) answer(at, { reply: calls[at]?.request });
    expect(await replies).toEqual(Array.from({ length: 100 }, (_, at) => ({ reply: { at } })));
  });

  it('rejects with the code and message of the callee', async () => {
    const { call } = await start(() => Promise.reject(new LictorError('permission-denied', 'Permission denied: no "key:read"')));
    await expect(call({})).rejects.toMatchObject({
      name: 'LictorError',
      code: 'permission-denied',
      message: 'Permission denied: no "key:read"',
    });
  });

  it('hands the abort of the caller to the callee', async () => {
    const { calls, handler, arrived } = gate();
    const { call } = await start(handler);
    const controller = new AbortController();
    const reply = call({}, controller.signal);
    await arrived(1);
    const signal = calls[0]?.options.signal;
    const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
    controller.abort();
    await expect(reply).rejects.toMatchObject({ code: 'cancelled' });
    await aborted;
  });

  it('is not sent when it is aborted before that, even while the connection is made', async () => {
    const { calls, handler, arrived, answer } = gate();
    const { call } = await start(handler);
    const controller = new AbortController();
    const early = call('early', controller.signal);
    controller.abort();
    await expect(early).rejects.toMatchObject({ code: 'cancelled' });
    await expect(call('never', AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    const later = call('later');
    await arrived(1);
    answer(0, 'answered');
    expect(await later).toBe('answered');
    expect(calls.map(({ request }) => request)).toEqual(['later']);
  });

  it('fails as a LictorError when its values cannot be said, on either side', async () => {
    const odd = {
      get field(): unknown {
        throw new TypeError('odd');
      },
    };
    const { call } = await start(({ request }) => Promise.resolve(request === 'odd' ? odd : request));
    await expect(call(odd)).rejects.toMatchObject({ name: 'LictorError', code: 'internal', message: 'odd' });
    await expect(call('odd')).rejects.toMatchObject({ name: 'LictorError', code: 'internal', message: 'odd' });
    expect(await call('fine')).toBe('fine');
  });

  it('aborts the callee when the caller goes away', async () => {
    const { calls, handler, arrived } = gate();
    const { call, client } = await start(handler);
    const reply = call({});
    await arrived(1);
    const aborted = new Promise((resolve) => calls[0]?.options.signal?.addEventListener('abort', resolve));
    client.close();
    await expect(reply).rejects.toMatchObject({ code: 'outcome-unknown' });
    await aborted;
  });
});

describe('a peer that is lost', () => {
  it('leaves the outcome of what it was sent unknown', async () => {
    const { handler, arrived } = gate();
    const { call, kill } = await start(handler);
    const reply = call({});
    const failed = expect(reply).rejects.toMatchObject({ code: 'outcome-unknown' });
    await arrived(1);
    await kill();
    await failed;
  });

  it('is unavailable when it was never reached', async () => {
    const { client } = await start(echo);
    await expect(client.call(await freeAddress(), 'KVS.Get', {}, {})).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a server that ends', () => {
  it('answers what may have changed something, and turns away all the rest, which others may be asked', async () => {
    const { calls, handler, arrived, answer } = gate();
    const { client, address, drain } = await start(handler);
    const send = (method: string): Promise<unknown> => client.call(address, method, {}, {});
    const [write, read] = [send('KVS.Apply'), send('KVS.Get')];
    const turnedAway = expect(read).rejects.toMatchObject({ code: 'unavailable' });
    await arrived(2);
    let isDrained = false;
    const drained = drain().then(() => (isDrained = true));
    await turnedAway;
    await expect(send('KVS.Apply')).rejects.toMatchObject({ code: 'unavailable' });
    expect([calls.length, calls[1]?.options.signal?.aborted, isDrained]).toEqual([2, true, false]);
    answer(0, 'done');
    expect(await write).toBe('done');
    await drained;
  });

  it('does not wait for callers that have gone, nor for those that give up', async () => {
    const { handler, arrived } = gate();
    const { client, address, drain } = await start(handler);
    const givesUp = new AbortController();
    const calls = [client.call(address, 'KVS.Apply', {}, { signal: givesUp.signal }), client.call(address, 'KVS.Apply', {}, {})];
    const failed = Promise.allSettled(calls);
    await arrived(2);
    const drained = drain();
    givesUp.abort();
    client.close();
    await Promise.all([failed, drained]);
  });
});

describe('long values', () => {
  it('arrive whole, and let small calls pass', async () => {
    const order: string[] = [];
    const { client, address } = await start(({ method, request }) =>
      Promise.resolve(method === 'Snapshot.Restore' ? (request as Uint8Array).length : request),
    );
    const archive = Buffer.alloc(64 * 1024 * 1024, 'x');
    const long = client.call(address, 'Snapshot.Restore', archive, {}).then((length) => order.push(`long ${String(length)}`));
    const small = client.call(address, 'KVS.Get', 'small', {}).then((value) => order.push(String(value)));
    await Promise.all([long, small]);
    expect(order).toEqual(['small', `long ${archive.length}`]);
  });

  it('of many rows cross whole, both ways, and let small calls pass while they are encoded and decoded', async () => {
    const rows = Array.from({ length: 50_000 }, (_, at) => ({ Key: `key/${at}`, Value: Buffer.from(`value ${at}`), Flags: at }));
    const order: string[] = [];
    const { client, address } = await start(({ method, request }) => Promise.resolve(method === 'KVS.List' ? { value: rows } : request));
    const long = client.call(address, 'KVS.List', {}, {}).then((reply) => {
      order.push('long');
      return reply;
    });
    for (let count = 1; count <= 5; count++) {
      await client.call(address, 'KVS.Get', count, {});
      order.push('small');
    }
    const { value } = (await long) as { value: typeof rows };
    expect(value).toHaveLength(rows.length);
    expect(value.every((row, at) => row.Key === rows[at]?.Key && row.Value.equals(rows[at].Value) && row.Flags === at)).toBe(true);
    expect(order).toEqual([...Array.from({ length: 5 }, () => 'small'), 'long']);
    const echoed = (await client.call(address, 'KVS.Get', rows.slice(0, 20_000), {})) as typeof rows;
    expect(echoed.at(-1)).toEqual(rows[19_999]);
  });

  it('are encoded for nobody when the caller gives up', async () => {
    let isServed = (): void => undefined;
    const served = new Promise<void>((resolve) => (isServed = resolve));
    const aborted: Promise<unknown>[] = [];
    const { client, address } = await start(({ method, request, options: { signal } }) => {
      if (method !== 'KVS.List') return Promise.resolve(request);
      aborted.push(new Promise((resolve) => signal?.addEventListener('abort', resolve)));
      isServed();
      return Promise.resolve(Array.from({ length: 500_000 }, (_, at) => ({ Key: `key/${at}` })));
    });
    const controller = new AbortController();
    const failed = expect(client.call(address, 'KVS.List', {}, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
    await served;
    controller.abort();
    await failed;
    await Promise.all(aborted);
    expect(await client.call(address, 'KVS.Get', 'still here', {})).toBe('still here');
  });
});

/** Where nobody listens. */
async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no address');
  return `127.0.0.1:${address.port}`;
}

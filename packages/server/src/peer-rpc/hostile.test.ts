import * as grpc from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Packr } from 'msgpackr/pack';
import { MAX_FRAME_BYTES, PART_BYTES, SLICED_BYTES } from './limits.ts';
import { RpcListener } from './listener.ts';
import { PeerRpcClient } from './client.ts';
import type { PeerRpcHandler } from './ports.ts';
import { CALLS, KIND, LAST_CALL_METADATA } from './protocol.ts';
import { encodeFrame, type FrameRecord, type Part } from './record.ts';
import { counters, type Peers, QUIET, startPeers } from './testing/peers.ts';

const started: { readonly stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(({ stop }) => stop()));
});

const echo: PeerRpcHandler = ({ request }) => Promise.resolve(request);
const record = (kind: FrameRecord['kind'], id: number, body: Uint8Array, part: Part = 'whole', valueBytes = body.length): FrameRecord => ({
  kind,
  part,
  id,
  body,
  valueBytes,
});
/** Long enough to be decoded in slices, and not msgpack. */
const longGarbage = Buffer.alloc(SLICED_BYTES + 1, 0xc1);
/** Short. */
const encoded = (value: unknown): Uint8Array => new Packr({ useRecords: false }).pack(value);
const get = encoded(['KVS.Get', {}, null, '', null]);

const GARBAGE: readonly (readonly [string, readonly Buffer[]])[] = [
  ['bytes of nothing', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
  ['a cut frame', [encodeFrame([record(KIND.request, 1, get)]).subarray(0, -1)]],
  ['a frame that is too large', [Buffer.alloc(MAX_FRAME_BYTES + 1)]],
  ['a request that is no msgpack', [encodeFrame([record(KIND.request, 1, Buffer.of(0xc1))])]],
  ['a request that is no request', [encodeFrame([record(KIND.request, 1, encoded({ a: 1 }))])]],
  ['a reply', [encodeFrame([record(KIND.reply, 1, encoded(1))])]],
  ['parts that are too small', [encodeFrame([record(KIND.request, 1, Buffer.alloc(10), 'middle')])]],
  ['a value longer than it said', [encodeFrame([record(KIND.request, 1, Buffer.alloc(PART_BYTES), 'first', PART_BYTES - 1)])]],
  ['an id that is in use', [encodeFrame([record(KIND.request, 1, encoded(['Hang', {}, null, '', null])), record(KIND.request, 1, get)])]],
];

describe('a caller that sends garbage', () => {
  it.each(GARBAGE)('loses its stream, is counted, and harms nobody: %s', async (_what, frames) => {
    const { counts, metrics } = counters();
    const { address, client } = await start(
      ({ method, request }) => (method === 'Hang' ? new Promise(() => undefined) : Promise.resolve(request)),
      metrics,
    );
    const status = await send(address, frames);
    expect(status.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(counts.get('rpc.peer.rejected')).toBe(1);
    expect(await client.call(address, 'KVS.Get', 'still here', {})).toBe('still here');
  });

  it.each([
    ['a long request that is no msgpack', [record(KIND.request, 1, longGarbage)]],
    ['a long request that is no request', [record(KIND.request, 1, encoded('x'.repeat(SLICED_BYTES)))]],
    [
      'the id of a request that is being decoded',
      [record(KIND.request, 1, encoded('x'.repeat(SLICED_BYTES))), record(KIND.request, 1, get)],
    ],
  ])('loses its stream when it comes to light later: %s', async (_what, records) => {
    const { counts, metrics } = counters();
    const { address, client } = await start(echo, metrics);
    const status = await send(address, [encodeFrame(records)], false);
    expect(status.code).toBe(grpc.status.INVALID_ARGUMENT);
    expect(counts.get('rpc.peer.rejected')).toBe(1);
    expect(await client.call(address, 'KVS.Get', 'still here', {})).toBe('still here');
  });

  it('loses it whatever the garbage, and the server lives', async () => {
    const { address, client } = await start(echo);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 3 }), async (frames) => {
        await send(
          address,
          frames.map((bytes) => Buffer.from(bytes)),
        );
      }),
      { numRuns: 100 },
    );
    expect(await client.call(address, 'KVS.Get', 'still here', {})).toBe('still here');
  });
});

describe('limits of a callee', () => {
  it('refuse one request that is too large, and go on with the others', async () => {
    const { address, client } = await start(echo, QUIET.metrics, { maxRequestBytes: 3 * PART_BYTES });
    const tooLarge = client.call(address, 'KVS.Apply', Buffer.alloc(4 * PART_BYTES), {});
    await expect(tooLarge).rejects.toMatchObject({ code: 'too-large' });
    expect(await client.call(address, 'KVS.Get', Buffer.alloc(2 * PART_BYTES), {})).toHaveLength(2 * PART_BYTES);
    expect(await client.call(address, 'Snapshot.Restore', Buffer.alloc(4 * PART_BYTES), {})).toHaveLength(4 * PART_BYTES);
  });

  it('refuse calls beyond the number in flight as not carried out', async () => {
    let isOpen = false;
    const waiting: (() => void)[] = [];
    const { address, client } = await start(
      () => (isOpen ? Promise.resolve(1) : new Promise((resolve) => waiting.push(() => resolve(1)))),
      QUIET.metrics,
      {
        maxInFlight: 2,
      },
    );
    const calls = [1, 2, 3].map((at) => client.call(address, 'KVS.Get', at, {}));
    await expect(calls[2]).rejects.toMatchObject({ code: 'unavailable' });
    isOpen = true;
    for (const answer of waiting) answer();
    expect(await Promise.all(calls.slice(0, 2))).toEqual([1, 1]);
  });

  it('refuse a reply that is too large', async () => {
    const { address, client } = await start(() => Promise.resolve(Buffer.alloc(100)), QUIET.metrics, { maxReplyBytes: 50 });
    await expect(client.call(address, 'KVS.Get', {}, {})).rejects.toMatchObject({ code: 'too-large' });
  });
});

describe('limits of a caller', () => {
  it('fail calls before they are sent', async () => {
    const peers = await startPeers(() => new Promise(() => undefined), { client: { limits: { maxInFlight: 1, maxRequestBytes: 50 } } });
    started.push(peers);
    await expect(peers.client.call(peers.address, 'KVS.Get', Buffer.alloc(100), {})).rejects.toMatchObject({ code: 'too-large' });
    const first = peers.client.call(peers.address, 'KVS.Get', 1, {});
    await expect(peers.client.call(peers.address, 'KVS.Get', 2, {})).rejects.toMatchObject({ code: 'unavailable' });
    peers.client.close();
    await expect(first).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|outcome-unknown/) });
  });

  it('keep room for calls that do not wait, however many wait for news', async () => {
    const peers = await startPeers(
      ({ options }) => (options.query === undefined ? Promise.resolve('at once') : new Promise(() => undefined)),
      {
        client: { limits: { maxInFlight: 20 } },
      },
    );
    started.push(peers);
    const block = () => peers.client.call(peers.address, 'KVS.Get', {}, { query: { minIndex: 1 } });
    const blocked = Promise.allSettled(Array.from({ length: 18 }, block));
    await expect(block()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('too many calls in flight') });
    expect(await peers.client.call(peers.address, 'KVS.Get', {}, {})).toBe('at once');
    peers.client.close();
    expect((await blocked).map(({ status }) => status)).toEqual(Array.from({ length: 18 }, () => 'rejected'));
  });

  it('let go of a reply that is too large, and the callee of what is left of it', async () => {
    const peers = await startPeers(({ method }) => Promise.resolve(method === 'KVS.List' ? Buffer.alloc(100 * PART_BYTES) : 'small'), {
      client: { limits: { maxReplyBytes: 2 * PART_BYTES } },
    });
    started.push(peers);
    await expect(peers.client.call(peers.address, 'KVS.List', {}, {})).rejects.toMatchObject({ code: 'too-large' });
    expect(await peers.client.call(peers.address, 'KVS.Get', {}, {})).toBe('small');
  });
});

describe('a callee that sends garbage', () => {
  it.each([
    ['bytes of nothing', () => Buffer.from('hello')],
    ['a request', () => encodeFrame([record(KIND.request, 1, get)])],
    ['a value that is none', (id: number) => encodeFrame([record(KIND.reply, id, Buffer.of(0xc1))])],
    ['a long value that is none', (id: number) => encodeFrame([record(KIND.reply, id, longGarbage)])],
    [
      'a second value while the first is being decoded',
      (id: number) => encodeFrame([record(KIND.reply, id, encoded('x'.repeat(SLICED_BYTES))), record(KIND.reply, id, encoded(1))]),
    ],
  ])('loses the connection, and its callers are told that the outcome is unknown: %s', async (_what, said) => {
    const { counts, metrics } = counters();
    const { address, client } = await startLiar(said, metrics);
    await expect(client.call(address, 'KVS.Get', {}, {})).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect(counts.get('rpc.peer.rejected')).toBe(1);
  });

  it.each([
    ['0', 'unavailable'],
    ['999', 'outcome-unknown'],
    ['soon', 'outcome-unknown'],
    [undefined, 'outcome-unknown'],
  ])('is believed about the last call that it has begun, when it says a number: %s', async (lastCall, code) => {
    const metadata = new grpc.Metadata();
    if (lastCall !== undefined) metadata.set(LAST_CALL_METADATA, lastCall);
    const { address, client } = await startLiar(() => ({ code: grpc.status.UNAVAILABLE, details: 'bye', metadata }));
    await expect(client.call(address, 'KVS.Get', {}, {})).rejects.toMatchObject({ code });
  });

  it('cannot make an error of any other class', async () => {
    const { address, client } = await startLiar((id) => encodeFrame([record(KIND.error, id, encoded(['no-code', 'text']))]));
    const error = await client.call(address, 'KVS.Get', {}, {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LictorError);
    expect(error).toMatchObject({ code: 'internal', message: 'text' });
  });
});

async function start(handler: PeerRpcHandler, metrics = QUIET.metrics, limits = {}): Promise<Peers> {
  const peers = await startPeers(handler, { ports: { ...QUIET, metrics }, service: { limits } });
  started.push(peers);
  return peers;
}

/** Sends frames to a callee as they are; resolves with the status that ends the stream, which is the callee's to end when not `isEnded`. */
function send(address: string, frames: readonly Buffer[], isEnded = true): Promise<grpc.StatusObject> {
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  const stream = client.makeBidiStreamRequest(CALLS.path, CALLS.requestSerialize, CALLS.responseDeserialize);
  return new Promise((resolve) => {
    stream.on('status', (status) => {
      client.close();
      resolve(status);
    });
    stream.on('error', () => undefined);
    stream.resume();
    for (const frame of frames) stream.write(frame);
    if (isEnded) stream.end();
  });
}

/** Answers each frame of requests with whatever `answer` makes of the first id in it: a frame, or the end of the stream. */
async function startLiar(
  answer: (id: number) => Buffer | Partial<grpc.StatusObject>,
  metrics = QUIET.metrics,
): Promise<{ readonly address: string; readonly client: PeerRpcClient }> {
  const listener = new RpcListener({ host: '127.0.0.1', port: 0 }, QUIET);
  const calls = (call: grpc.ServerDuplexStream<Buffer, Buffer>): void => {
    call.on('error', () => undefined);
    call.write(Buffer.alloc(0));
    call.on('data', (frame: Buffer) => {
      const said = answer(frame.readUInt32BE(1));
      if (said instanceof Buffer) call.write(said);
      else call.emit('error', said);
    });
  };
  listener.server.addService({ calls: CALLS }, { calls });
  const port = await listener.start();
  const client = new PeerRpcClient({ credentials: () => grpc.credentials.createInsecure() }, { ...QUIET, metrics });
  started.push({
    stop: () => {
      client.close();
      return listener.stop(0);
    },
  });
  return { address: `127.0.0.1:${port}`, client };
}

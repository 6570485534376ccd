import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { Packr } from 'msgpackr/pack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_STREAMS } from './listener.ts';
import { CALLS, KIND } from './protocol.ts';
import { encodeFrame } from './record.ts';
import { type Peers, startPeers } from './testing/peers.ts';

let peers: Peers;
let session: ClientHttp2Session;

beforeEach(async () => {
  peers = await startPeers(({ request }) => Promise.resolve(request));
  session = connect(`http://${peers.address}`);
  session.on('error', () => undefined);
  await once(session, 'connect');
});
afterEach(async () => {
  session.destroy();
  await peers.stop();
});

function request(path = CALLS.path, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  stream.resume();
  return stream;
}

/** As gRPC puts it: flag, length, bytes. */
function message(bytes: Uint8Array, isCompressed: boolean, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** The gRPC status that ends the stream. */
function statusOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve) => {
    const look = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] !== undefined) resolve(Number(headers['grpc-status']));
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('close', () => resolve(-1));
  });
}

/** Whatever happened, others are served. */
async function expectAlive(): Promise<void> {
  expect(await peers.client.call(peers.address, 'KVS.Get', 'alive', {})).toBe('alive');
}

describe('the RPC port, below gRPC (CVE-2024-37168, CVE-2026-48068, CVE-2026-48069)', () => {
  it('does not inflate a message beyond its limit', async () => {
    const stream = request(CALLS.path, { 'grpc-encoding': 'gzip' });
    const status = statusOf(stream);
    stream.write(message(gzipSync(Buffer.alloc(256 * 1024 * 1024)), true));
    expect(await status).toBe(grpc.status.RESOURCE_EXHAUSTED);
    await expectAlive();
  });

  it('outlives a compressed message that is none', async () => {
    const stream = request(CALLS.path, { 'grpc-encoding': 'gzip' });
    const status = statusOf(stream);
    stream.write(message(Buffer.from('not gzip at all'), true));
    expect(await status).not.toBe(grpc.status.OK);
    await expectAlive();
  });

  it('refuses a message by the length that it claims', async () => {
    const stream = request();
    const status = statusOf(stream);
    stream.write(message(Buffer.alloc(10), false, 0xffff_ffff));
    expect(await status).toBe(grpc.status.RESOURCE_EXHAUSTED);
    await expectAlive();
  });

  it('serves a method by its whole name only', async () => {
    for (const path of [`${CALLS.path}X`, `${CALLS.path}/`, CALLS.path.slice(0, -1), '/']) {
      expect(await statusOf(request(path))).toBe(grpc.status.UNIMPLEMENTED);
    }
  });

  it('keeps no more streams of one connection than it said', async () => {
    let served = 0;
    const all = new Promise<void>((resolve) => {
      for (let at = 0; at < 300; at++) {
        request().on('response', () => {
          if (++served === MAX_STREAMS) resolve();
        });
      }
    });
    await all;
    await new Promise((resolve) => session.ping(resolve));
    expect(served).toBe(MAX_STREAMS);
    await expectAlive();
  });

  it('asks no more of a caller that does not take its answers, until it does', async () => {
    const total = 4_000;
    let served = 0;
    const handler = (): Promise<Buffer> => {
      served++;
      return Promise.resolve(Buffer.alloc(8 * 1024));
    };
    const slow = await startPeers(handler, { service: { limits: { maxShortBytes: 256 * 1024 } } });
    const connection = connect(`http://${slow.address}`);
    const stream = connection.request({ ':method': 'POST', ':path': CALLS.path, 'content-type': 'application/grpc', te: 'trailers' });
    const body = new Packr({ useRecords: false }).pack(['KVS.Get', {}, null, '', null]);
    for (let id = 1; id <= total; id += 10) {
      const records = Array.from({ length: 10 }, (_, at) => ({
        kind: KIND.request,
        part: 'whole' as const,
        id: id + at,
        body,
        valueBytes: 0,
      }));
      stream.write(message(encodeFrame(records), false));
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(total / 2);
    stream.resume();
    while (served < total) await new Promise((resolve) => setImmediate(resolve));
    connection.destroy();
    await slow.stop();
  });

  it('outlives streams that are opened and reset at once', async () => {
    for (let round = 0; round < 500 && !session.destroyed; round++) request().close(constants.NGHTTP2_CANCEL);
    await expectAlive();
  });
});

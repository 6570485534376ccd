import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClient, until } from '../testing/client.ts';
import { Harness } from '../testing/harness.ts';

let harness: Harness;
const taps: Server[] = [];
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(async () => {
  await harness.close();
  for (const tap of taps.splice(0)) tap.close();
});

interface Tap {
  readonly port: number;
  /** Every byte that went through, each way. */
  seen(): readonly [there: Buffer, back: Buffer];
}

/** Passes bytes on to `target` and keeps a copy: who listens on the network between two sidecars. */
async function tapInFrontOf(target: number): Promise<Tap> {
  const chunks: [Buffer[], Buffer[]] = [[], []];
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to, kept] of [
      [near, far, chunks[0]],
      [far, near, chunks[1]],
    ] as const) {
      from.on('error', () => undefined);
      from.on('data', (chunk: Buffer) => kept.push(chunk));
      from.pipe(to);
    }
  });
  taps.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, seen: () => [Buffer.concat(chunks[0]), Buffer.concat(chunks[1])] };
}

describe('the wire between two sidecars (issue 4.3)', () => {
  it('carries nothing in clear: neither bytes of the application nor who talks to whom', async () => {
    const behind = await harness.sidecar('socat', {
      publicListener: {
        host: '127.0.0.1',
        port: 0,
        applicationHost: '127.0.0.1',
        applicationPort: await harness.echo(),
        localConnectTimeoutMs: 1000,
        handshakeTimeoutMs: 5000,
        maxConnections: 10,
      },
    });
    const tap = await tapInFrontOf(behind.publicPort);
    harness.addInstance('socat', tap.port);
    const web = await harness.source('web', 'socat');

    const payload = Buffer.concat([
      Buffer.from('attack at dawn'),
      randomBytes(64),
      Buffer.alloc(4096, 'a'),
      Buffer.from('GET / HTTP/1.1\r\n'),
    ]);
    const client = new TestClient(web.upstreamPort).send(payload);
    await until(() => client.received.length === payload.length);
    expect(client.received.equals(payload)).toBe(true);

    const ways = tap.seen();
    const seen = Buffer.concat(ways);
    expect(seen.length).toBeGreaterThan(2 * payload.length);
    for (let offset = 0; offset + 16 <= payload.length; offset += 7)
      expect(seen.includes(payload.subarray(offset, offset + 16))).toBe(false);
    for (const name of ['attack', 'HTTP/1.1', 'spiffe://', 'socat', 'svc/web', 'BEGIN ']) expect(seen.includes(name)).toBe(false);
    for (const way of ways) expect(recordTypes(way).filter((type) => !TLS_RECORDS.has(type))).toEqual([]);
  });
});

/** Change cipher spec, alert, handshake, application data (RFC 8446 5.1). */
const TLS_RECORDS = new Set([20, 21, 22, 23]);

function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at] ?? 0);
  return types;
}

import type { TLSSocket } from 'node:tls';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode, registerRequest, silentMetrics } from '../../packages/protocol/src/index.ts';
import { FakeClock, MemoryLogger, seededRandom } from '../../packages/protocol/src/testing/index.ts';
import { createDnsHandler, type DnsHandler } from '../../packages/client-agent/src/dns/index.ts';
import { decodeRequest } from '../../packages/client-agent/src/dns/decode.ts';
import { createTestConfig } from '../../packages/client-agent/src/testing/config.ts';
import { createTestServer, type TestServer } from '../../packages/server/src/testing/index.ts';
import type { ByteEnd } from '../../packages/proxy/src/relay/end.ts';
import { TunnelConnection, type TunnelEvents } from '../../packages/proxy/src/tunnel/connection.ts';
import { encodeFrame, encodeRefusal, FRAME, FrameError, REFUSAL } from '../../packages/proxy/src/tunnel/frame.ts';
import { mutatedBytes } from './support/mutate.ts';

/** Bytes that come off a socket, made from what a good peer sends. */

describe('a DNS message with bytes changed', () => {
  const TYPES = { A: 1, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, ANY: 255 };
  const NAMES = [
    'db.service.consul',
    '_db._tcp.service.consul',
    'm.db.service.dc1.consul',
    'n1.node.consul',
    'db.virtual.consul',
    'db.connect.consul',
    '1.0.0.10.in-addr.arpa',
    'consul',
    '',
    '7f000001.addr.consul',
  ];
  const MAX_PLAIN_UDP_BYTES = 512;
  const corpus = Object.values(TYPES).flatMap((type) => NAMES.flatMap((name) => [query(name, type), query(name, type, [edns(4096)])]));

  let server: TestServer;
  let logger: MemoryLogger;
  let ask: DnsHandler;
  beforeAll(async () => {
    server = await createTestServer();
    logger = new MemoryLogger();
    for (let node = 0; node < 20; node++) {
      const body = {
        Node: `n${node}`,
        Address: `10.0.0.${node}`,
        Service: { Service: 'db', Port: 80 + node, Tags: ['m'] },
        NodeMeta: { a: 'b' },
      };
      await server.port.call('Catalog.Register', decode(registerRequest, body));
    }
    const config = createTestConfig({ datacenter: 'dc1' });
    ask = createDnsHandler({
      config: () => config,
      server: server.port,
      clock: new FakeClock(),
      random: seededRandom(1),
      logger,
      metrics: silentMetrics,
    });
  });
  afterAll(() => server.stop());

  it('gets one answer to the question or none, never too long for its way, and no error in the log', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(mutatedBytes(corpus), fc.constantFrom(...corpus)),
        fc.constantFrom('udp', 'tcp'),
        async (message, transport) => {
          const answer = await ask(message, transport);
          if (answer === undefined) return;
          answered += 1;
          expect([...answer.subarray(0, 2)]).toEqual([...message.subarray(0, 2)]);
          expect(answer.readUInt16BE(2) & 0x8000).toBe(0x8000);
          const decoded = decodeRequest(message);
          const udpSize = decoded.kind === 'request' ? (decoded.request.edns?.udpSize ?? 0) : 0;
          expect(answer.length).toBeLessThanOrEqual(transport === 'tcp' ? 65_535 : Math.max(MAX_PLAIN_UDP_BYTES, udpSize));
        },
      ),
      { numRuns: 500 },
    );
    expect(answered).toBeGreaterThan(100);
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  function query(name: string, type: number, additionals: readonly Buffer[] = []): Buffer {
    const header = Buffer.from([0, 77, 1, 0, 0, 1, 0, 0, 0, 0, 0, additionals.length]);
    const labels = name === '' ? [] : name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
    return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1]), ...additionals]);
  }

  /** An OPT record with a client subnet (RFC 6891, RFC 7871). */
  function edns(udpSize: number): Buffer {
    return Buffer.from([0, 0, 41, udpSize >> 8, udpSize & 0xff, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 10, 0, 0]);
  }
});

describe('tunnel frames with bytes changed', () => {
  const data = (text: string): Buffer => encodeFrame(FRAME.data, text);
  const stream = [encodeFrame(FRAME.open, 'db'), data('hello'), data('x'.repeat(400)), encodeFrame(FRAME.finish)];
  const toCallee = [
    [...stream, ...stream, encodeFrame(FRAME.retire)],
    [encodeFrame(FRAME.open, 'db'), encodeRefusal(FRAME.reset, { code: REFUSAL.reset, reason: 'gone' })],
  ];
  const toCaller = [
    [encodeFrame(FRAME.accept), data('hello'), encodeFrame(FRAME.retire), encodeFrame(FRAME.finish)],
    [encodeRefusal(FRAME.refuse, { code: REFUSAL.denied, reason: 'no' })],
  ];
  const corpusOf = (streams: readonly (readonly Buffer[])[]): Buffer[] => streams.map((frames) => Buffer.concat(frames));
  const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

  it.each(['callee', 'caller'] as const)('end the connection of a %s with a FrameError, or are read to their end', async (role) => {
    const corpus = corpusOf(role === 'callee' ? toCallee : toCaller);
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutatedBytes(corpus), fc.constantFrom(...corpus)), cuts, async (bytes, sizes) => {
        const socket = new FakeSocket();
        const closed: (Error | undefined)[] = [];
        const served: { ends: number }[] = [];
        const serve = (stream: ByteEnd): void => {
          const seen = { ends: 0 };
          served.push(seen);
          const whileOpen = (): void => expect(seen.ends).toBe(0);
          stream.attach({
            onData: whileOpen,
            onFinish: () => {
              whileOpen();
              stream.finish();
            },
            onDrain: () => undefined,
            onClosed: () => void (seen.ends += 1),
          });
          stream.resume();
        };
        const events: TunnelEvents = {
          onOpen: () => serve(tunnel.accept()),
          onIdle: () => undefined,
          onRetire: () => undefined,
          onClosed: (error) => closed.push(error),
        };
        const tunnel: TunnelConnection = new TunnelConnection(socket as unknown as TLSSocket, role, events, new FakeClock());
        if (role === 'caller') serve(tunnel.open('db'));
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          socket.push(Buffer.from(bytes.subarray(at, at + size)));
          at += size;
        }
        socket.push(null);
        await new Promise((resolve) => setImmediate(resolve));
        for (const error of closed) if (error !== undefined) expect(error).toBeInstanceOf(FrameError);
        expect(closed.length).toBe(1);
        expect(served.filter(({ ends }) => ends !== 1)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  /** What TunnelConnection asks of a TLS socket; nobody reads what it is sent. */
  class FakeSocket extends Duplex {
    override _read(): void {}
    override _write(_chunk: unknown, _encoding: string, done: () => void): void {
      done();
    }
    setNoDelay(): this {
      return this;
    }
    setKeepAlive(): this {
      return this;
    }
  }
});

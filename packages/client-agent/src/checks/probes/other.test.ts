import { createSocket, type Socket } from 'node:dgram';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { createServer, type Server } from 'node:net';
import { Server as GrpcServer, ServerCredentials, type UntypedHandleCall } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { NEVER, probeContext } from '../testing/definitions.ts';
import { createGrpcProbe } from './grpc.ts';
import { createH2PingProbe } from './h2ping.ts';
import { createUdpProbe } from './udp.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function portOf(server: Server | Http2Server): Promise<number> {
  closers.push(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('UDP checks (consul-facts K036)', () => {
  async function bind(): Promise<{ readonly socket: Socket; readonly target: string }> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return { socket, target: `127.0.0.1:${socket.address().port}` };
  }

  it('pass when the target answers, and when it stays silent', async () => {
    const { socket, target } = await bind();
    closers.push(() => void socket.close());
    const silent = await createUdpProbe(probeContext({ udp: target, interval: '1s', timeout: '50ms' }))(NEVER);
    expect(silent).toEqual({ status: 'passing', output: `UDP connect ${target}: Success` });
    socket.on('message', (_message, remote) => socket.send('x', remote.port, remote.address));
    expect((await createUdpProbe(probeContext({ udp: target, interval: '1s', timeout: '5s' }))(NEVER)).status).toBe('passing');
  });

  it('are critical when the host refuses', async () => {
    const { socket, target } = await bind();
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    const result = await createUdpProbe(probeContext({ udp: target, interval: '1s', timeout: '2s' }))(NEVER);
    expect(result).toEqual({ status: 'critical', output: `read udp ${target}: read: connection refused` });
  });
});

describe('h2ping checks (consul-facts K038)', () => {
  it('pass when an HTTP/2 server answers the ping', async () => {
    const port = await portOf(createHttp2Server());
    const result = await createH2PingProbe(probeContext({ h2ping: `127.0.0.1:${port}`, h2ping_use_tls: false, interval: '1s' }))(NEVER);
    expect(result).toEqual({ status: 'passing', output: 'HTTP2 ping was successful' });
  });

  it('are critical when something else answers, and when nothing does', async () => {
    const port = await portOf(createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.0 400 no\r\n\r\n')));
    const fields = { h2ping: `127.0.0.1:${port}`, h2ping_use_tls: false, interval: '1s', timeout: '2s' };
    const other = await createH2PingProbe(probeContext(fields))(NEVER);
    expect(other.status).toBe('critical');
    expect(other.output).toMatch(/^HTTP2 ping failed: /);
    for (const close of closers.splice(0)) close();
    const none = await createH2PingProbe(probeContext(fields))(NEVER);
    expect(none.output).toBe(`Failed to dial to 127.0.0.1:${port}: dial tcp 127.0.0.1:${port}: connect: connection refused`);
  });
});

describe('gRPC checks (consul-facts K037)', () => {
  /** grpc.health.v1 by hand: the service's name in, a status out. */
  async function serveHealth(statusOf: (service: string) => number): Promise<string> {
    const server = new GrpcServer();
    const check: UntypedHandleCall = (call: { request: Buffer }, callback: (error: null, reply: Buffer) => void) => {
      callback(null, Buffer.from([0x08, statusOf(call.request.subarray(2).toString())]));
    };
    const identity = (bytes: Buffer): Buffer => bytes;
    const codec = { requestSerialize: identity, requestDeserialize: identity, responseSerialize: identity, responseDeserialize: identity };
    server.addService(
      { Check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, ...codec } },
      { Check: check },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    closers.push(() => server.forceShutdown());
    return `127.0.0.1:${port}`;
  }

  it('pass when the service serves, by name too', async () => {
    const target = await serveHealth((service) => (service === 'web' ? 1 : 2));
    const named = await createGrpcProbe(probeContext({ grpc: `${target}/web`, interval: '1s' }))(NEVER);
    expect(named).toEqual({ status: 'passing', output: `gRPC check ${target}/web: success` });
    const whole = await createGrpcProbe(probeContext({ grpc: target, interval: '1s' }))(NEVER);
    expect(whole).toEqual({ status: 'critical', output: `gRPC ${target} serving status: NOT_SERVING` });
  });

  it('are critical when nothing answers in time', async () => {
    const port = await portOf(createServer((socket) => socket.on('error', () => undefined)));
    const result = await createGrpcProbe(probeContext({ grpc: `127.0.0.1:${port}`, interval: '1s', timeout: '200ms' }))(NEVER);
    expect(result).toEqual({ status: 'critical', output: 'rpc error: code = DeadlineExceeded desc = context deadline exceeded' });
  });
});

describe('CVE-2022-29153: link-local targets are refused when told to', () => {
  const refuse = { refuseLinkLocal: true };

  it.each(['169.254.169.254:80', '[fe80::1]:80', '[::ffff:169.254.1.1]:80'])('%s', async (target) => {
    const udp = await createUdpProbe(probeContext({ udp: target, interval: '1s' }, refuse))(NEVER);
    const grpc = await createGrpcProbe(probeContext({ grpc: target, interval: '1s' }, refuse))(NEVER);
    expect([udp.output, grpc.output]).toEqual([expect.stringContaining('link-local'), expect.stringContaining('link-local')]);
  });

  it('but not others, by name either', async () => {
    const port = await portOf(createServer((socket) => socket.on('error', () => undefined)));
    const result = await createGrpcProbe(probeContext({ grpc: `localhost:${port}`, interval: '1s', timeout: '200ms' }, refuse))(NEVER);
    expect(result.output).toContain('DeadlineExceeded');
  });
});

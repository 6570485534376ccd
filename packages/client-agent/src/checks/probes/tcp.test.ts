import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NEVER, probeContext } from '../testing/definitions.ts';
import { createTcpProbe } from './tcp.ts';

let server: Server | undefined;
afterEach(() => void server?.close());

async function listen(): Promise<number> {
  server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('TCP checks (consul-facts K035)', () => {
  it("passes when a connection opens, in Consul's words", async () => {
    const target = `127.0.0.1:${await listen()}`;
    const result = await createTcpProbe(probeContext({ tcp: target, interval: '1s' }))(NEVER);
    expect(result).toEqual({ status: 'passing', output: `TCP connect ${target}: Success` });
  });

  it("is critical with Go's words when nothing listens", async () => {
    const port = await listen();
    await new Promise((resolve) => server?.close(resolve));
    const result = await createTcpProbe(probeContext({ tcp: `127.0.0.1:${port}`, interval: '1s' }))(NEVER);
    expect(result).toEqual({ status: 'critical', output: `dial tcp 127.0.0.1:${port}: connect: connection refused` });
  });

  it('needs a port', async () => {
    const result = await createTcpProbe(probeContext({ tcp: 'nowhere', interval: '1s' }))(NEVER);
    expect(result).toEqual({ status: 'critical', output: 'dial tcp: address nowhere: missing port in address' });
  });

  it('times out on a TLS handshake that never comes', async () => {
    const target = `127.0.0.1:${await listen()}`;
    const result = await createTcpProbe(probeContext({ tcp: target, tcp_use_tls: true, interval: '1s', timeout: '50ms' }))(NEVER);
    expect(result).toEqual({ status: 'critical', output: `dial tcp ${target}: i/o timeout` });
  });

  it('CVE-2022-29153: refuses link-local targets when told to', async () => {
    const context = probeContext({ tcp: '169.254.169.254:80', interval: '1s' }, { refuseLinkLocal: true });
    expect((await createTcpProbe(context)(NEVER)).output).toContain('is a link-local address, refused');
  });
});

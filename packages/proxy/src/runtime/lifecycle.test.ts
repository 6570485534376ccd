import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectProxyConfig, decode } from '@lictor/protocol';
import { freePort, freePorts } from '@lictor/protocol/testing';
import type { ProxyRegistration } from '../control-plane/port.ts';
import { TestClient, until } from '../testing/client.ts';
import { Harness, publicListener, upstreamTo } from '../testing/harness.ts';
import { logged } from '../testing/logs.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

function registration(port: number, proxy: object): ProxyRegistration {
  const complete = decode(connectProxyConfig, { DestinationServiceName: 'web', LocalServicePort: 1, ...proxy });
  return { id: 'web-sidecar-proxy', kind: 'connect-proxy', address: '127.0.0.1', port, proxy: complete };
}

const AGENT = { source: { kind: 'agent', proxyId: 'web-sidecar-proxy' } } as const;

describe('starting from a registration', () => {
  it('logs the lines of consul-facts S019-S027 in their order and reports readiness', async () => {
    const [publicPort = 0, upstreamPort = 0] = await freePorts(2);
    harness.mesh
      .registration('web-sidecar-proxy')
      .set(registration(publicPort, { Upstreams: [{ DestinationName: 'socat', LocalBindPort: upstreamPort }] }));
    const { proxy, log } = await harness.start('web', {}, AGENT);
    await proxy.ready;
    const lines = log.lines.filter(({ level }) => level === 'info').map(({ message, fields }) => [message, fields]);
    expect(lines).toEqual([
      ['Starting listener', { listener: `127.0.0.1:${upstreamPort}->service:default/socat`, bind_addr: `127.0.0.1:${upstreamPort}` }],
      ['Proxy loaded config and ready to serve', {}],
      [
        'Parsed TLS identity',
        {
          uri: `spiffe://${harness.authority.trustDomain}/ns/default/dc/dc1/svc/web`,
          roots: expect.stringMatching(/^\[pri-test\.consul\.ca\..*\]$/),
        },
      ],
      ['Starting listener', { listener: 'public listener', bind_addr: `127.0.0.1:${publicPort}` }],
    ]);
    await until(() => harness.mesh.ready.length === 1);
    expect(harness.mesh.ready).toEqual(['web-sidecar-proxy']);
  });

  it('applies changes without touching what did not change (K079)', async () => {
    await harness.destination('socat', await harness.echo());
    const [publicPort = 0, first = 0, second = 0] = await freePorts(3);
    const watched = harness.mesh.registration('web-sidecar-proxy');
    watched.set(registration(publicPort, { Upstreams: [{ DestinationName: 'socat', LocalBindPort: first }] }));
    const { proxy, log } = await harness.start('web', {}, AGENT);
    await proxy.ready;
    const long = new TestClient(first).send('a');
    await until(() => long.text === 'a');

    watched.set(
      registration(publicPort, { Upstreams: [first, second].map((port) => ({ DestinationName: 'socat', LocalBindPort: port })) }),
    );
    await logged(log, 'Starting listener', String(second));
    expect((await new TestClient(second).send('b').finish().closed()).text).toBe('b');

    watched.set(registration(publicPort, { Upstreams: [{ DestinationName: 'socat', LocalBindPort: second }] }));
    await logged(log, 'listener stopped', String(first));
    const refused = new TestClient(first);
    await until(() => refused.error !== undefined);
    long.send('c').finish();
    expect((await long.closed()).text).toBe('ac');
    expect(log.lines.filter(({ message }) => message === 'Starting listener')).toHaveLength(3);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('stays as it is when the registration turns into something else', async () => {
    const watched = harness.mesh.registration('web-sidecar-proxy');
    watched.set(registration(await freePort(), {}));
    const { proxy, log } = await harness.start('web', {}, AGENT);
    await proxy.ready;
    watched.set({ ...registration(1, {}), kind: '' });
    await logged(log, 'service is not a valid connect proxy');
    expect(proxy.publicPort).toBeGreaterThan(0);
  });
});

describe('addresses that are taken', () => {
  it('keep the proxy from starting when it is the public one', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { proxy, log } = await harness.start('web', { publicListener: { ...publicListener(1), port } });
    await expect(proxy.ready).rejects.toThrow('EADDRINUSE');
    await logged(log, 'failed to start public listener', 'EADDRINUSE');
    taken.close();
  });

  it('cost one upstream only', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await harness.destination('socat', await harness.echo());
    const free = await freePort();
    const { proxy, log } = await harness.start('web', { upstreams: [upstreamTo('db', port), upstreamTo('socat', free)] });
    await proxy.ready;
    await logged(log, 'failed to start upstream', 'EADDRINUSE');
    expect((await new TestClient(free).send('a').finish().closed()).text).toBe('a');
    taken.close();
  });
});

describe('an agent that is away (issue 5)', () => {
  it('leaves the proxy serving with what it has, which says so', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    harness.mesh.setAway(true);
    const line = await logged(web.log, 'Watch errored', 'connect_leaf');
    expect(line.fields).toMatchObject({ error: 'agent is away', note: 'serving with the last good data' });
    await logged(socat.log, 'Watch errored', 'intentions');
    expect((await new TestClient(web.upstreamPort).send('a').finish().closed()).text).toBe('a');
  });
});

describe('stopping', () => {
  it('accepts no more, lets open streams finish, then is gone', async () => {
    const socat = await harness.destination('socat', await harness.echo(), { drainTimeoutMs: 60_000 });
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('a');
    await until(() => client.text === 'a');
    let stopped = false;
    const stopping = socat.proxy.stop().then(() => (stopped = true));
    await logged(socat.log, 'draining');
    const late = await new TestClient(web.upstreamPort).send('late').closed();
    expect(late.text).toBe('');
    client.send('b');
    await until(() => client.text === 'ab');
    expect(stopped).toBe(false);
    client.finish();
    await client.closed();
    await stopping;
  });

  it('ends what is open at the second call', async () => {
    const socat = await harness.destination('socat', await harness.echo(), { drainTimeoutMs: 60_000 });
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('a');
    await until(() => client.text === 'a');
    const stopping = socat.proxy.stop();
    await logged(socat.log, 'draining');
    await socat.proxy.stop();
    await stopping;
    await client.closed();
    expect(socat.proxy.openStreams).toBe(0);
  });

  it('of a proxy that registered itself deregisters it', async () => {
    const registrationOf = { id: 'web-proxy', name: 'web-proxy', address: '', port: 1, destination: 'web', checkId: 'web-proxy-ttl' };
    const source = { kind: 'static', config: { service: 'web', upstreams: [] }, registration: registrationOf } as const;
    const { proxy } = await harness.start('web', {}, { source });
    await proxy.ready;
    await until(() => harness.mesh.calls.includes('register web-proxy'));
    await proxy.stop();
    expect(harness.mesh.calls).toEqual(['register web-proxy', 'deregister web-proxy']);
  });
});

import { once } from 'node:events';
import { createServer } from 'node:tls';
import { freePort } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../testing/authority.ts';
import { TestClient, until } from '../testing/client.ts';
import { Harness, instance, publicListener, upstreamTo } from '../testing/harness.ts';
import { logged } from '../testing/logs.ts';
import { encodeFrame, FRAME, TUNNEL_PROTOCOL } from '../tunnel/frame.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

async function roundTrip(port: number, text: string): Promise<string> {
  return (await new TestClient(port).send(text).finish().closed()).text;
}

describe('pooled tunnels (design.md 7.14)', () => {
  it('carry one stream after another on one connection', async () => {
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    for (let round = 0; round < 20; round++) {
      expect(await roundTrip(web.upstreamPort, `round ${round}`)).toBe(`round ${round}`);
      await until(() => web.proxy.openStreams === 0);
    }
    expect(web.proxy.reusedTunnels).toBe(19);
  });

  it('never mix streams that run at the same time', async () => {
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    for (let round = 0; round < 5; round++) {
      const texts = Array.from({ length: 40 }, (_, index) => `${round}/${index} `.repeat(1 + ((index * 997) % 5000)));
      expect(await Promise.all(texts.map((text) => roundTrip(web.upstreamPort, text)))).toEqual(texts);
    }
    expect(web.proxy.reusedTunnels).toBeGreaterThan(100);
  });

  it('are not used again after the leaf or the roots have changed', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    await roundTrip(web.upstreamPort, 'a');
    harness.mesh.leaf('web').set(await harness.authority.issue({ service: 'web' }));
    await logged(web.log, 'TLS identity changed');
    expect(await roundTrip(web.upstreamPort, 'b')).toBe('b');
    expect(web.proxy.reusedTunnels).toBe(0);
    harness.mesh.leaf('socat').set(await harness.authority.issue({ service: 'socat' }));
    await logged(socat.log, 'TLS identity changed');
    expect(await roundTrip(web.upstreamPort, 'c')).toBe('c');
    expect(await roundTrip(web.upstreamPort, 'd')).toBe('d');
  });

  it('that the destination has closed meanwhile cost the caller nothing', async () => {
    const first = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    await roundTrip(web.upstreamPort, 'a');
    await first.proxy.stop();
    harness.mesh.instancesOf('socat').set([]);
    await harness.destination('socat', await harness.echo());
    expect(await roundTrip(web.upstreamPort, 'b')).toBe('b');
  });
});

describe('a peer that breaks the tunnel protocol', () => {
  /** A server with a valid certificate that answers the handshake with `bytes`. */
  async function rogue(bytes: Buffer): Promise<void> {
    const leaf = await harness.authority.issue({ service: 'socat' });
    const options = { cert: leaf.CertPEM, key: leaf.PrivateKeyPEM ?? '', ALPNProtocols: [TUNNEL_PROTOCOL] };
    const server = createServer(options, (socket) => {
      socket.on('error', () => undefined);
      socket.write(bytes);
      socket.resume();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    harness.mesh.instancesOf('socat').set([]);
    harness.addInstance('socat', typeof address === 'object' && address !== null ? address.port : 0);
    cleanups.push(() => server.close());
  }
  const cleanups: (() => unknown)[] = [];
  afterEach(() => {
    for (const cleanup of cleanups.splice(0)) cleanup();
  });

  it.each([
    ['an unknown frame', Buffer.from([99, 0, 0, 0])],
    ['data before a stream', encodeFrame(FRAME.data, 'x')],
    ['an open of its own', encodeFrame(FRAME.open, 'web')],
    ['a finish before a stream', encodeFrame(FRAME.finish)],
    ['a frame without end', Buffer.from([FRAME.data, 0xff, 0xff, 0xff])],
  ])('with %s loses the connection, and another instance is tried', async (_name, bytes) => {
    await rogue(bytes);
    const web = await harness.source('web', 'socat');
    expect(await roundTrip(web.upstreamPort, 'a')).toBe('');
    await harness.destination('socat', await harness.echo());
    await until(() => harness.mesh.instancesOf('socat').isSettled);
    expect(await roundTrip(web.upstreamPort, 'b')).toBe('b');
  });
});

describe('choosing an instance (design.md 7.4)', () => {
  it('tries another one when the first cannot be reached', async () => {
    harness.addInstance('socat', await freePort());
    harness.addInstance('socat', await freePort());
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    for (let round = 0; round < 10; round++) expect(await roundTrip(web.upstreamPort, `${round}`)).toBe(`${round}`);
  });

  it('tries another one when the application behind the first is gone', async () => {
    const dead = await harness.destination('socat', await freePort());
    const web = await harness.source('web', 'socat');
    expect(await roundTrip(web.upstreamPort, 'x')).toBe('');
    await logged(dead.log, 'failed to dial', 'ECONNREFUSED');
    await logged(web.log, 'failed to dial', 'local application');
    await harness.destination('socat', await harness.echo());
    await until(() => harness.mesh.instancesOf('socat').isSettled);
    for (let round = 0; round < 10; round++) expect(await roundTrip(web.upstreamPort, `${round}`)).toBe(`${round}`);
  });

  it('gives the next one what the application had already sent, once and whole', async () => {
    await harness.destination('socat', await freePort());
    await harness.destination('socat', await freePort());
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    for (const bytes of [1, 30_000, 40_000, 300_000]) {
      const request = Array.from({ length: bytes }, (_, index) => String.fromCharCode(97 + ((index * 7) % 26))).join('');
      const replies = await Promise.all(Array.from({ length: 4 }, () => roundTrip(web.upstreamPort, request)));
      expect(replies.every((reply) => reply === request)).toBe(true);
    }
  });

  it('stops looking when the application has gone', async () => {
    const { createServer: createTcpServer } = await import('node:net');
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    harness.addInstance('socat', typeof address === 'object' && address !== null ? address.port : 0);
    const upstream = { ...upstreamTo('socat', await freePort()), connectTimeoutMs: 300 };
    const web = await harness.sidecar('web', { upstreams: [upstream] });
    const client = new TestClient(web.upstreamPort).send('x');
    await until(() => client.socket.bytesWritten === 1);
    client.socket.resetAndDestroy();
    await new Promise((resolve) => silent.getConnections((_error, count) => (count > 0 ? resolve(count) : setTimeout(resolve, 400))));
    expect(web.proxy.openStreams).toBe(0);
    expect(web.log.lines.filter(({ message }) => message === 'failed to dial')).toEqual([]);
    silent.close();
  });

  it('fails at once when the only instance is not there', async () => {
    harness.addInstance('socat', await freePort());
    const web = await harness.source('web', 'socat');
    expect(await roundTrip(web.upstreamPort, 'x')).toBe('');
    await logged(web.log, 'failed to dial', 'ECONNREFUSED');
  });

  it('waits a moment for a first instance: sidecars that start together find each other', async () => {
    harness.mesh.instancesOf('socat').set([]);
    const web = await harness.source('web', 'socat');
    const early = new TestClient(web.upstreamPort).send('early').finish();
    await once(early.socket, 'connect');
    await harness.destination('socat', await harness.echo());
    expect((await early.closed()).text).toBe('early');
  });

  it('gives up on an instance that does not answer in time and takes another', async () => {
    const { createServer: createTcpServer } = await import('node:net');
    const silent = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    harness.addInstance('socat', typeof address === 'object' && address !== null ? address.port : 0);
    await harness.destination('socat', await harness.echo());
    const upstream = { ...upstreamTo('socat', await freePort()), connectTimeoutMs: 3000 };
    const web = await harness.sidecar('web', { upstreams: [upstream] });
    for (let round = 0; round < 3; round++) expect(await roundTrip(web.upstreamPort, `${round}`)).toBe(`${round}`);
    silent.close();
  });

  it('refuses what it does not know', async () => {
    const { log } = await harness.start('web', {
      upstreams: [{ ...upstreamTo('near', await freePort()), destinationType: 'other' }],
    });
    const line = await logged(log, "upstream type other is not supported yet. Can't start upstream.");
    expect(line.level).toBe('error');
  });
});

describe('a prepared query as upstream (consul-facts K081)', () => {
  async function source(query: string): Promise<number> {
    const upstream = { ...upstreamTo(query, await freePort()), destinationType: 'prepared_query' };
    return (await harness.sidecar('web', { upstreams: [upstream] })).upstreamPort;
  }

  it('leads to whatever service it finds, each under its own name', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const other = await harness.destination('other', await harness.application((socket) => socket.end('other')));
    harness.mesh.queries.set('near', [instance('socat', socat.publicPort)]);
    const port = await source('near');
    expect(await roundTrip(port, 'hello')).toBe('hello');
    // What it found is kept until its next turn, and looked for anew at once when that serves no more.
    harness.mesh.queries.set('near', [instance('other', other.publicPort)]);
    await socat.proxy.stop();
    await expect.poll(() => roundTrip(port, ''), { timeout: 10_000 }).toBe('other');
  });

  it('does not reach a service that claims to be another', async () => {
    const liar = await harness.destination('liar', await harness.echo());
    harness.mesh.queries.set('near', [instance('socat', liar.publicPort)]);
    expect(await roundTrip(await source('near'), 'hello')).toBe('');
  });

  it('waits for what a query finds first, and looks again while it finds nothing', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const port = await source('later');
    expect(await roundTrip(port, 'hello')).toBe('');
    harness.mesh.queries.set('later', [instance('socat', socat.publicPort)]);
    await expect.poll(() => roundTrip(port, 'hello'), { timeout: 10_000 }).toBe('hello');
  });
});

describe('rotation (issue 4.2)', () => {
  it('of CA and leaves under load fails no connection', async () => {
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    const long = new TestClient(web.upstreamPort).send('begin ');
    await until(() => long.text === 'begin ');
    let rotating = true;
    let failures = 0;
    let count = 0;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (rotating) {
          if ((await roundTrip(web.upstreamPort, 'x')) !== 'x') failures++;
          count++;
        }
      }),
    );
    for (let round = 0; round < 3; round++) {
      const next = await createAuthority();
      // As the servers do it: first everyone trusts both roots, then leaves change, one side before the other.
      harness.publishRoots(harness.authority, next);
      await until(() => harness.mesh.roots.isSettled);
      const before = count;
      await until(() => count > before + 20);
      harness.mesh.leaf('socat').set(await next.issue({ service: 'socat' }));
      await until(() => count > before + 40);
      harness.mesh.leaf('web').set(await next.issue({ service: 'web' }));
      await until(() => count > before + 60);
      harness.mesh.leaf('socat').set(await harness.authority.issue({ service: 'socat' }));
      harness.mesh.leaf('web').set(await harness.authority.issue({ service: 'web' }));
      await until(() => count > before + 80);
    }
    rotating = false;
    await load;
    expect(failures).toBe(0);
    long.send('end').finish();
    expect((await long.closed()).text).toBe('begin end');
  });
});

it('refuses a stream that is meant for another service (Envoy CVE-2020-11767)', async () => {
  const socat = await harness.sidecar('socat', { publicListener: publicListener(await harness.echo()) });
  const { rawClient, readToEnd } = await import('../testing/raw-client.ts');
  const socket = await rawClient(socat.publicPort, await harness.authority.issue({ service: 'web' }), { ALPNProtocols: [TUNNEL_PROTOCOL] });
  socket.write(encodeFrame(FRAME.open, 'other'));
  expect((await readToEnd(socket)).subarray(5).toString()).toBe('this is socat, not other');
});

import { once } from 'node:events';
import { createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '@lictor/protocol/testing';
import { systemClock } from '@lictor/protocol/system';
import type { IssuedCert } from '@lictor/protocol';
import { createAuthority } from '../testing/authority.ts';
import { TestClient, until } from '../testing/client.ts';
import { Harness, type RunningProxy } from '../testing/harness.ts';
import { logged } from '../testing/logs.ts';
import { rawClient, readToEnd } from '../testing/raw-client.ts';
import { FRAME, TUNNEL_PROTOCOL } from '../tunnel/frame.ts';

const HOUR_MS = 3_600_000;
let harness: Harness;
let socat: RunningProxy;
beforeEach(async () => {
  harness = await Harness.create();
  socat = await harness.destination('socat', await harness.echo());
});
afterEach(() => harness.close());

/** What a foreign peer gets with this certificate: an echo, or nothing. */
async function echoWith(leaf: IssuedCert | undefined): Promise<string> {
  const socket = await rawClient(socat.publicPort, leaf);
  socket.write('hello');
  socket.on('data', () => socket.end());
  return (await readToEnd(socket)).toString();
}

/** The frames that one of our own sidecars would get, as text. */
async function tunnelAnswerTo(leaf: IssuedCert): Promise<Buffer> {
  return readToEnd(await rawClient(socat.publicPort, leaf, { ALPNProtocols: [TUNNEL_PROTOCOL] }));
}

describe('who may come in (issue 4.3; consul-facts S030)', () => {
  it('a service of this mesh, without SNI, over TLS 1.3', async () => {
    expect(await echoWith(await harness.authority.issue({ service: 'web' }))).toBe('hello');
  });

  it('not a client without a certificate', async () => {
    expect(await echoWith(undefined)).toBe('');
    await logged(socat.log, 'failed TLS verification', 'peer sent no certificate');
  });

  const hostile: readonly [name: string, leaf: () => Promise<IssuedCert>, reason: RegExp][] = [
    ['another CA', async () => (await createAuthority()).issue({ service: 'web' }), /not signed|issuer|unknown|chain/i],
    [
      'an expired leaf',
      () => harness.authority.issue({ service: 'web', notBeforeMs: Date.now() - 2 * HOUR_MS, notAfterMs: Date.now() - HOUR_MS }),
      /expired/i,
    ],
    ['a leaf from the future', () => harness.authority.issue({ service: 'web', notBeforeMs: Date.now() + HOUR_MS }), /not (yet )?valid/i],
    ['another trust domain', () => harness.authority.issue({ service: 'web', trustDomain: 'other.consul' }), /trust domain/i],
    ['two URI SANs', () => harness.authority.issueWithUris([uriOf('web'), uriOf('admin')]), /exactly one/],
    ['no URI SAN', () => harness.authority.issueWithUris([]), /.*/],
    [
      'a SPIFFE id that names no service',
      () => harness.authority.issueWithUris([`spiffe://${harness.authority.trustDomain}/gateway/mesh/dc/dc1`]),
      /not a service/,
    ],
    [
      "another namespace's service of the same name",
      () => harness.authority.issueWithUris([`spiffe://${harness.authority.trustDomain}/ns/other/dc/dc1/svc/web`]),
      /another namespace/,
    ],
    ['percent-encoding in its SPIFFE id', () => harness.authority.issueWithUris([uriOf('%77eb')]), /characters/],
  ];
  it.each(hostile)('not %s; the reason is logged here and told to our own sidecars', async (_name, makeLeaf, reason) => {
    const leaf = await makeLeaf();
    expect(await echoWith(leaf)).toBe('');
    const line = await logged(socat.log, 'failed TLS verification');
    expect(String(line.fields['error'])).toMatch(reason);
    const answer = await tunnelAnswerTo(leaf);
    expect(answer[0]).toBe(FRAME.refuse);
    expect(answer.subarray(5).toString()).toBe(line.fields['error']);
  });

  it('nobody below TLS 1.2', async () => {
    const leaf = await harness.authority.issue({ service: 'web' });
    const old = rawClient(socat.publicPort, leaf, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    await expect(old).rejects.toThrow();
    expect(await echoWith(leaf)).toBe('hello');
  });

  it('a session that is resumed gives nothing: there are none (Envoy CVE-2022-21654)', async () => {
    const leaf = await harness.authority.issue({ service: 'web' });
    const first = await rawClient(socat.publicPort, leaf);
    let session: Buffer | undefined;
    first.on('session', (ticket: Buffer) => (session = ticket));
    first.write('x');
    await once(first, 'data');
    first.destroy();
    const second = await rawClient(socat.publicPort, leaf, { session: session ?? first.getSession() });
    expect(second.isSessionReused()).toBe(false);
    second.destroy();
  });

  it('the handshake asks for a certificate of the active roots', async () => {
    const socket = await rawClient(socat.publicPort, await harness.authority.issue({ service: 'web' }));
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.getPeerX509Certificate()?.subjectAltName).toContain(uriOf('socat'));
    socket.destroy();
  });
});

describe('whom we connect to (CVE-2021-32574)', () => {
  it('never another service, however valid its certificate; both ends say why', async () => {
    const impostor = await harness.sidecar('other', { publicListener: { ...socatListener(), port: 0 } });
    harness.mesh.instancesOf('socat').set([]);
    harness.addInstance('socat', impostor.publicPort);
    const web = await harness.source('web', 'socat');
    const client = await new TestClient(web.upstreamPort).send('secret').closed();
    expect(client.text).toBe('');
    await logged(web.log, 'failed to dial', '/svc/other');
    await logged(impostor.log, 'refused by caller', '/svc/other');
    expect(impostor.proxy.openStreams).toBe(0);
  });

  it('never a server of another CA', async () => {
    const foreign = await (await createAuthority()).issue({ service: 'socat' });
    let secured = 0;
    const server = createServer({ cert: foreign.CertPEM, key: foreign.PrivateKeyPEM ?? '' }, () => secured++).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const address = server.address();
    harness.mesh.instancesOf('socat').set([]);
    harness.addInstance('socat', typeof address === 'object' && address !== null ? address.port : 0);
    const web = await harness.source('web', 'socat');
    const client = await new TestClient(web.upstreamPort).send('secret').closed();
    expect(client.text).toBe('');
    await logged(web.log, 'failed to dial');
    server.close();
  });

  it('a TLS server that refuses our ALPN offer is dialled again without it, one connection a stream', async () => {
    const leaf = await harness.authority.issue({ service: 'socat' });
    const connections: (string | false | null)[] = [];
    const options = {
      cert: leaf.CertPEM,
      key: leaf.PrivateKeyPEM ?? '',
      ca: harness.authority.rootPem,
      requestCert: true,
      ALPNProtocols: ['h2'],
    };
    const server = createServer(options, (socket) => {
      connections.push(socket.alpnProtocol);
      socket.on('error', () => undefined);
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const address = server.address();
    harness.mesh.instancesOf('socat').set([]);
    harness.addInstance('socat', typeof address === 'object' && address !== null ? address.port : 0);
    const web = await harness.source('web', 'socat');
    for (const text of ['one', 'two']) {
      const client = await new TestClient(web.upstreamPort).send(text).finish().closed();
      expect(client.text).toBe(text);
    }
    expect(connections).toEqual([false, false]);
    server.close();
  });
});

describe('an expired leaf of our own', () => {
  it('lets nobody in and connects to nobody, and says so', async () => {
    const clock = new FakeClock(Date.now());
    const wallOnly = { ...systemClock, now: () => clock.now() };
    const web = await harness.source('web', 'socat', {}, { clock: wallOnly });
    expect((await new TestClient(web.upstreamPort).send('a').finish().closed()).text).toBe('a');
    clock.jumpWallClock(73 * HOUR_MS);
    const client = await new TestClient(web.upstreamPort).send('b').closed();
    expect(client.text).toBe('');
    await logged(web.log, 'failed to dial', 'own certificate expired');
    harness.mesh.leaf('web').set(await harness.authority.issue({ service: 'web', notAfterMs: clock.now() + 72 * HOUR_MS }));
    await until(() => web.log.lines.some((line) => line.message === 'TLS identity changed'));
  });

  it('refuses inbound connections', async () => {
    const clock = new FakeClock(Date.now());
    const late = await harness.sidecar(
      'late',
      { publicListener: socatListener() },
      {},
      { clock: { ...systemClock, now: () => clock.now() } },
    );
    clock.jumpWallClock(73 * HOUR_MS);
    const refused = rawClient(late.publicPort, await harness.authority.issue({ service: 'web' }));
    await expect(refused).rejects.toThrow();
    await logged(late.log, 'connection refused', 'own certificate expired');
  });
});

function uriOf(service: string): string {
  return `spiffe://${harness.authority.trustDomain}/ns/default/dc/dc1/svc/${service}`;
}

function socatListener(): NonNullable<Parameters<Harness['sidecar']>[1]['publicListener']> {
  return {
    host: '127.0.0.1',
    port: 0,
    applicationHost: '127.0.0.1',
    applicationPort: 1,
    localConnectTimeoutMs: 1000,
    handshakeTimeoutMs: 10_000,
    maxConnections: 100,
  };
}

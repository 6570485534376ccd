import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../testing/authority.ts';
import { TestClient, until } from '../testing/client.ts';
import { Harness, publicListener } from '../testing/harness.ts';
import { logged } from '../testing/logs.ts';
import { rawClient, readToEnd } from '../testing/raw-client.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.create();
});
afterEach(() => harness.close());

describe('an intention that denies (consul-facts S036, K080)', () => {
  it('refuses new streams; both ends name the rule', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    harness.mesh.setIntention('web', 'socat', 'deny');
    await until(() => harness.mesh.hasSettled);
    const client = await new TestClient(web.upstreamPort).send('hello').closed();
    expect(client.text).toBe('');
    const denied = await logged(socat.log, 'authz call denied');
    expect(denied).toMatchObject({ level: 'error', name: 'proxy.connect', fields: { service: 'socat' } });
    expect(denied.fields['reason']).toMatch(/^Matched L4 intention: default\/web => default\/socat \(.*DENY\)$/);
    await logged(web.log, 'failed to dial', String(denied.fields['reason']));
  });

  it('lets the next stream pass once it is gone (S038)', async () => {
    harness.mesh.setIntention('web', 'socat', 'deny');
    const socat = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    expect((await new TestClient(web.upstreamPort).send('a').closed()).text).toBe('');
    harness.mesh.removeIntention('web', 'socat');
    await logged(socat.log, 'authz call denied');
    await until(() => harness.mesh.hasSettled);
    expect((await new TestClient(web.upstreamPort).send('b').finish().closed()).text).toBe('b');
  });

  it('holds for each stream of a kept tunnel, and a refusal is final: no other instance is tried', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const second = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    for (let round = 0; round < 4; round++) expect((await new TestClient(web.upstreamPort).send('a').finish().closed()).text).toBe('a');
    harness.mesh.setIntention('*', 'socat', 'deny');
    await until(() => harness.mesh.hasSettled);
    expect((await new TestClient(web.upstreamPort).send('b').closed()).text).toBe('');
    const denials = [...socat.log.lines, ...second.log.lines].filter((line) => line.message === 'authz call denied');
    expect(denials).toHaveLength(1);
  });

  it("denies when it reads requests, which this layer does not (as Consul's built-in proxy, H065)", async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    harness.mesh.setHttpIntention('web', 'socat');
    await until(() => harness.mesh.hasSettled);
    expect((await new TestClient(web.upstreamPort).send('GET / HTTP/1.1').closed()).text).toBe('');
    await logged(socat.log, 'authz call denied', 'Matched L7 intention');
  });

  it('is asked of the agent as long as intentions have not been read, and errors deny', async () => {
    const readIntentions = (): (() => Promise<never>) => () => new Promise<never>(() => undefined);
    const asking = { ...harness.mesh.controlPlane(), readIntentions };
    const socat = await harness.sidecar('socat', { publicListener: publicListener(await harness.echo()) }, {}, { controlPlane: asking });
    harness.addInstance('socat', socat.publicPort);
    const web = await harness.source('web', 'socat');
    expect((await new TestClient(web.upstreamPort).send('a').finish().closed()).text).toBe('a');
    expect(harness.mesh.calls).toContain('authorize');
    harness.mesh.setAway(true);
    expect((await new TestClient(web.upstreamPort).send('b').closed()).text).toBe('');
    await logged(socat.log, 'authz call denied', 'authz call failed: agent is away');
  });
});

describe('live revocation (design.md 7.1, issue 4.2)', () => {
  it('closes exactly the connections of the denied source, 100 of 200, while a transfer of the other goes on byte for byte', async () => {
    const block = randomBytes(256 * 1024);
    const port = await harness.application((socket) => {
      socket.once('data', (first: Buffer) => {
        if (first.toString() !== 'pour') {
          socket.write(first);
          return;
        }
        void (async () => {
          for (let round = 0; round < 64; round++) if (!socket.write(block)) await once(socket, 'drain');
          socket.end();
        })();
      });
    });
    const socat = await harness.destination('socat', port);
    const web = await harness.source('web', 'socat');
    const api = await harness.source('api', 'socat');
    const open = (upstreamPort: number): TestClient[] => Array.from({ length: 100 }, () => new TestClient(upstreamPort).send('x'));
    const denied = open(web.upstreamPort);
    const allowed = open(api.upstreamPort);
    await until(() => [...denied, ...allowed].every((client) => client.text === 'x'));
    expect(socat.proxy.openStreams).toBe(200);

    const transfer = new TestClient(api.upstreamPort).send('pour');
    await until(() => transfer.received.length > 0);
    harness.mesh.setIntention('web', 'socat', 'deny');
    await until(() => denied.every((client) => client.ended || client.socket.destroyed));
    expect(allowed.every((client) => !client.ended && !client.socket.destroyed)).toBe(true);

    await transfer.closed();
    const expected = createHash('sha256');
    for (let round = 0; round < 64; round++) expected.update(block);
    expect(createHash('sha256').update(transfer.received).digest('hex')).toBe(expected.digest('hex'));
    const line = await logged(socat.log, 'closed open connections');
    expect(line.fields).toMatchObject({ connections: 100, reason: expect.stringContaining('default/web => default/socat') });
    await until(() => socat.proxy.openStreams === 100);
  });

  it('cuts connections of foreign peers too, and those that wait for the application', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const foreign = await rawClient(socat.publicPort, await harness.authority.issue({ service: 'web' }));
    const received = readToEnd(foreign);
    foreign.write('x');
    await until(() => socat.proxy.openStreams === 1);
    harness.mesh.setDefault(false);
    await received;
    await until(() => socat.proxy.openStreams === 0);
  });

  it("leaves open connections alone with revocation 'new-connections', Consul's behaviour (S040)", async () => {
    await harness.destination('socat', await harness.echo(), { revocation: 'new-connections' });
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('a');
    await until(() => client.text === 'a');
    harness.mesh.setIntention('web', 'socat', 'deny');
    await until(() => harness.mesh.hasSettled);
    expect((await new TestClient(web.upstreamPort).send('new').closed()).text).toBe('');
    client.send('b');
    await until(() => client.text === 'ab');
    client.finish();
    await client.closed();
  });

  it('cuts what a removed root vouched for', async () => {
    const socat = await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat');
    const client = new TestClient(web.upstreamPort).send('a');
    await until(() => client.text === 'a');
    const next = await createAuthority();
    harness.publishRoots(next);
    await client.closed();
    const cut = [...socat.log.lines, ...web.log.lines].find((line) => line.message === 'closed open connections');
    expect(String(cut?.fields['reason'])).toContain('CA changed');
  });
});

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MetricLabels, type Metrics, Secret } from '@lictor/protocol';
import { FakeClock, freePorts } from '@lictor/protocol/testing';
import { TestClient, until } from '../testing/client.ts';
import { Harness, upstreamTo } from '../testing/harness.ts';
import type { AccessRecord } from './access-log.ts';
import { jsonAccessLog } from './access-log.ts';
import { ListenerStats } from './listener-stats.ts';
import { createTextLogger } from './text-logger.ts';

describe("log lines in hclog's forms (consul-facts M009)", () => {
  function logger(json: boolean): { readonly lines: string[]; readonly log: ReturnType<typeof createTextLogger> } {
    const lines: string[] = [];
    const clock = new FakeClock(Date.UTC(2026, 10, 21, 8, 5, 6, 7));
    return { lines, log: createTextLogger({ name: 'proxy', level: 'info', json, clock, writeLine: (line) => lines.push(line) }) };
  }

  it('text', () => {
    const { lines, log } = logger(false);
    log.info('Starting listener', { listener: 'public listener', bind_addr: '0.0.0.0:21000' });
    log.named('connect').error('authz call denied', { service: 'socat', reason: 'a "b" c' });
    log.info('Parsed TLS identity', { uri: 'spiffe://td/svc', roots: '[a b]' });
    log.warn('plain');
    log.debug('not shown');
    expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      '[INFO]  proxy: Starting listener: listener="public listener" bind_addr=0.0.0.0:21000',
      '[ERROR] proxy.connect: authz call denied: service=socat reason="a \\"b\\" c"',
      '[INFO]  proxy: Parsed TLS identity: uri=spiffe://td/svc roots=[a b]',
      '[WARN]  proxy: plain',
    ]);
    expect(lines[0]).toMatch(/^2026-11-2\dT\d\d:05:06\.007(Z|[+-]\d\d:\d\d) /);
  });

  it('JSON', () => {
    const { lines, log } = logger(true);
    log.with({ a: 1 }).info('hello', { b: 'x' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ '@level': 'info', '@message': 'hello', '@module': 'proxy', a: 1, b: 'x' });
  });

  it('keep a peer from starting a line of its own, and secrets hidden', () => {
    const { lines, log } = logger(false);
    log.info('x', { from: 'evil\n2026 [INFO] proxy: forged', token: new Secret('s3cret') });
    expect(lines[0]).not.toContain('\n');
    expect(lines[0]).not.toContain('s3cret');
  });
});

describe('the counters of a listener (consul-facts M006)', () => {
  it('are flushed as what came since the last time', () => {
    const calls: [string, number][] = [];
    const record = (name: string, value = 1): number => calls.push([name, value]);
    const metrics: Metrics = { setGauge: record, incrCounter: record, addSample: record };
    const stats = new ListenerStats('proxy.web.inbound', { dst: 'web' });
    const relay = { forward: 10, backward: 20 };
    stats.opened(relay);
    stats.flush(metrics);
    relay.forward += 5;
    stats.closed(relay);
    stats.closed(relay);
    stats.flush(metrics);
    expect(calls).toEqual([
      ['proxy.web.inbound.conns', 1],
      ['proxy.web.inbound.rx_bytes', 10],
      ['proxy.web.inbound.tx_bytes', 20],
      ['proxy.web.inbound.conns', 0],
      ['proxy.web.inbound.rx_bytes', 5],
    ]);
  });
});

describe('what a running proxy shows', () => {
  let harness: Harness;
  beforeEach(async () => {
    harness = await Harness.create();
  });
  afterEach(() => harness.close());

  it('in its access log: every stream with its end, the denied ones too', async () => {
    const records: AccessRecord[] = [];
    const accessLog = (record: AccessRecord): number => records.push(record);
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat', {}, { accessLog });
    await new TestClient(web.upstreamPort).send('12345').finish().closed();
    await until(() => records.length === 1);
    harness.mesh.setIntention('web', 'socat', 'deny');
    await until(() => harness.mesh.hasSettled);
    await new TestClient(web.upstreamPort).send('x').closed();
    await until(() => records.length === 2);
    expect(records[0]).toMatchObject({
      direction: 'upstream',
      transport: 'tunnel',
      rxBytes: 5,
      txBytes: 5,
      outcome: 'closed',
      reason: '',
      peer: expect.stringContaining('/svc/socat'),
    });
    expect(records[1]).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('default/web => default/socat') });
    const lines: string[] = [];
    for (const record of records) jsonAccessLog((line) => lines.push(line))(record);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ direction: 'upstream', start: expect.stringMatching(/^\d{4}-.*Z$/) });
  });

  it('to Prometheus', async () => {
    await harness.destination('socat', await harness.echo());
    const [metricsPort = 0, upstreamPort = 0] = await freePorts(2);
    await harness.sidecar('web', { upstreams: [upstreamTo('socat', upstreamPort)] }, { prometheusBindAddr: `127.0.0.1:${metricsPort}` });
    const client = new TestClient(upstreamPort).send('12345');
    await until(() => client.text === '12345');
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const labels = '{src="web",dst_type="service",dst="socat"}';
    expect(text).toContain(`lictor_proxy_upstream_conns${labels} 1\n`);
    expect(text).toContain(`lictor_proxy_upstream_rx_bytes_total${labels} 5\n`);
    expect(text).toMatch(/\nlictor_proxy_leaf_expiry_seconds \d+\n/);
    expect((await fetch(`http://127.0.0.1:${metricsPort}/other`)).status).toBe(404);
    client.finish();
    await client.closed();
  });

  it('through the metrics port, flushed as it stops', async () => {
    const counted = new Map<string, number>();
    const add = (name: string, value = 1, labels: MetricLabels = {}): void =>
      void counted.set(`${name} ${Object.values(labels).join(',')}`, value);
    const metrics: Metrics = { setGauge: add, incrCounter: add, addSample: add };
    await harness.destination('socat', await harness.echo());
    const web = await harness.source('web', 'socat', {}, { metrics });
    const client = new TestClient(web.upstreamPort).send('12345').finish();
    await once(client.socket, 'end');
    await client.closed();
    await until(() => web.proxy.openStreams === 0);
    await web.proxy.stop();
    expect(Object.fromEntries(counted)).toEqual({
      'proxy.web.inbound.conns web': 0,
      'proxy.web.upstream.conns web,service,socat': 0,
      'proxy.web.upstream.rx_bytes web,service,socat': 5,
      'proxy.web.upstream.tx_bytes web,service,socat': 5,
    });
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RotatingLogFile } from './log-file.ts';
import { formatJson, formatText, formatTime } from './log-format.ts';
import { LogHub } from './log-hub.ts';
import type { LogRecord } from './log-record.ts';
import { createPrefixFilter } from './prefix-filter.ts';
import { prometheusName, quantileOf } from './prometheus.ts';
import { MetricsRegistry, type RegistryOptions } from './registry.ts';
import { Aggregate } from './series.ts';
import { StatsdSink } from './statsd.ts';

const START_MS = Date.UTC(2026, 10, 21, 5, 49, 10, 123);

function record(message: string, fields: Record<string, unknown> = {}): LogRecord {
  return { timeMs: START_MS, level: 'info', module: 'agent.http', message, fields };
}

describe("hclog's text form (consul-facts M009)", () => {
  it('is time, padded level, module, message, fields', () => {
    expect(formatText(record('Request finished', { method: 'GET', latency: '1.2ms' }))).toBe(
      `${formatTime(START_MS)} [INFO]  agent.http: Request finished: method=GET latency=1.2ms\n`,
    );
    expect(formatText({ ...record('m'), level: 'error', module: '' })).toMatch(/ \[ERROR\] m\n$/);
  });

  it('has RFC 3339 times with milliseconds', () => {
    expect(formatTime(START_MS)).toMatch(/^2026-11-\d\dT\d\d:\d\d:10\.123(Z|[+-]\d\d:\d\d)$/);
    expect(Date.parse(formatTime(START_MS))).toBe(START_MS);
  });

  it('quotes values with spaces, hides secrets, shows an error by its message', () => {
    const line = formatText(
      record('m', { listener: 'public listener', token: new Secret('canary'), error: new Error('no route'), list: ['a', 1], n: 3 }),
    );
    expect(line).toContain('m: listener="public listener" token=<hidden> error="no route" list="[a, 1]" n=3\n');
    expect(formatText(record('m', { nested: { token: new Secret('canary') } }))).not.toContain('canary');
  });

  it('is one line and free of control characters, whatever the input holds (CVE-2024-45808)', () => {
    const anything = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(anything, anything, anything, (message, key, value) => {
        const line = formatText(record(message, { [key]: value }));
        expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        expect(JSON.parse(formatJson(record(message, { [key]: value })))).toMatchObject({ '@message': message });
      }),
    );
  });

  it('has a JSON form', () => {
    expect(JSON.parse(formatJson(record('m', { token: new Secret('canary'), count: 2n })))).toEqual({
      '@level': 'info',
      '@message': 'm',
      '@module': 'agent.http',
      '@timestamp': expect.stringMatching(/\.123000/),
      token: '<hidden>',
      count: '2',
    });
  });
});

describe('the log hub', () => {
  const lines: string[] = [];
  const create = (): LogHub => {
    lines.length = 0;
    return new LogHub({
      level: 'info',
      json: false,
      writers: [{ write: (line) => lines.push(line), flush: () => undefined }],
      clock: new FakeClock(),
    });
  };

  it('writes at its level and above, and follows a reload', () => {
    const hub = create();
    const logger = hub.logger('agent').named('server').with({ id: 1 });
    logger.debug('no');
    logger.info('yes', { more: 2 });
    hub.setLevel('debug');
    logger.debug('now');
    expect(lines.map((line) => line.slice(line.indexOf('['), -1))).toEqual([
      '[INFO]  agent.server: yes: id=1 more=2',
      '[DEBUG] agent.server: now: id=1',
    ]);
  });

  it('gives each subscriber its own level and form, and stops when it leaves', async () => {
    const hub = create();
    const seen: string[] = [];
    const leave = hub.subscribe({ level: 'trace', json: true }, (line) => seen.push(line));
    hub.logger('agent').trace('deep');
    await Promise.resolve();
    leave();
    hub.logger('agent').error('late');
    await Promise.resolve();
    expect(seen.map((line) => (JSON.parse(line) as Record<string, unknown>)['@message'])).toEqual(['deep']);
    expect(hub.isEnabled('trace')).toBe(false);
  });

  it('drops lines rather than queue without end, and survives a listener that logs', async () => {
    const hub = create();
    const seen: string[] = [];
    hub.subscribe({ level: 'info', json: false }, (line) => {
      if (seen.length < 600) hub.logger('agent').info('again');
      seen.push(line);
    });
    for (let count = 0; count < 10_000; count++) hub.logger('agent').info('flood');
    await Promise.resolve();
    expect(seen.filter((line) => line.includes('flood'))).toHaveLength(512);
  });
});

describe('log files', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it('start anew by size and age, and keep as many as asked', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lictor-log-'));
    folders.push(folder);
    const clock = new FakeClock(START_MS);
    const file = new RotatingLogFile({ path: `${folder}/agent.log`, rotateBytes: 20, rotateDurationMs: 3_600_000, maxFiles: 2, clock });
    for (const line of ['first line\n', 'second line\n', 'third line\n', 'fourth line\n']) {
      file.write(line);
      await expect.poll(() => readAll(folder, file).includes(line)).toBe(true);
      await clock.advance(10);
    }
    await clock.advance(3_600_000);
    file.write('next\n');
    await expect.poll(() => readAll(folder, file)).toContain('next');
    const names = readdirSync(folder).sort();
    expect(names).toHaveLength(3);
    expect(names.every((name) => /^agent-\d{19}\.log$/.test(name))).toBe(true);
  });
});

function readAll(folder: string, file: RotatingLogFile): string {
  file.flush();
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

function createRegistry(clock: FakeClock, options: Partial<RegistryOptions> = {}): MetricsRegistry {
  const defaults = {
    prefix: 'consul',
    hostname: 'vm',
    disableHostname: false,
    prefixFilter: [],
    filterDefault: true,
    prometheusRetentionMs: 60_000,
  };
  return new MetricsRegistry({ ...defaults, clock, ...options });
}

describe('the metrics of an interval (consul-facts M001)', () => {
  it('have go-metrics’ shape, the last complete interval first', async () => {
    const clock = new FakeClock(Date.UTC(2026, 10, 21, 5, 49, 10));
    const registry = createRegistry(clock);
    registry.start();
    registry.setGauge('runtime.alloc_bytes', 5);
    registry.incrCounter('rpc.request', 3, { method: 'KVS.Get' });
    for (const value of [1, 2, 6]) registry.addSample('api.http', value, { method: 'GET', path: 'v1_kv_' });
    await clock.advance(10_000);
    registry.incrCounter('later');
    expect(registry.json()).toEqual({
      Timestamp: '2026-11-21 05:49:10 +0000 UTC',
      Gauges: [{ Name: 'consul.vm.runtime.alloc_bytes', Value: 5, Labels: {} }],
      Points: [],
      Counters: [
        { Name: 'consul.rpc.request', Count: 1, Rate: 0.3, Sum: 3, Min: 3, Max: 3, Mean: 3, Stddev: 0, Labels: { method: 'KVS.Get' } },
      ],
      Samples: [
        {
          Name: 'consul.api.http',
          Count: 3,
          Rate: 0.9,
          Sum: 9,
          Min: 1,
          Max: 6,
          Mean: 3,
          Stddev: Math.sqrt(7),
          Labels: { method: 'GET', path: 'v1_kv_' },
        },
      ],
    });
    registry.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('tell listeners about each finished interval', async () => {
    const clock = new FakeClock();
    const registry = createRegistry(clock);
    registry.start();
    const seen: unknown[] = [];
    const leave = registry.onInterval((interval) => seen.push(interval));
    await clock.advance(20_000);
    leave();
    await clock.advance(20_000);
    expect(seen).toHaveLength(2);
  });

  it('follow the prefix filter, the longest rule deciding', () => {
    const keep = createPrefixFilter(['-consul.rpc', '+consul.rpc.request', 'ignored'], true);
    expect([keep('consul.rpc.server'), keep('consul.rpc.request.x'), keep('consul.kvs')]).toEqual([false, true, true]);
    const registry = createRegistry(new FakeClock(), { prefixFilter: ['+consul.kept'], filterDefault: false });
    registry.incrCounter('dropped');
    registry.incrCounter('kept');
    expect(registry.json().Counters.map(({ Name }) => Name)).toEqual(['consul.kept']);
  });

  it('do not grow without end', () => {
    const registry = createRegistry(new FakeClock());
    for (let count = 0; count < 30_000; count++) registry.incrCounter('x', 1, { id: String(count) });
    expect(registry.json().Counters).toHaveLength(20_000);
  });
});

describe('an aggregate', () => {
  it('agrees with keeping every value', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2 }), (values) => {
        const aggregate = new Aggregate();
        for (const value of values) aggregate.add(value);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
        expect(aggregate.mean).toBeCloseTo(mean, 6);
        expect(aggregate.standardDeviation).toBeCloseTo(Math.sqrt(variance), 3);
        expect([aggregate.min, aggregate.max]).toEqual([Math.min(...values), Math.max(...values)]);
      }),
    );
  });
});

describe('Prometheus (consul-facts M002)', () => {
  it('has totals, and quantiles of the last ten seconds', async () => {
    const clock = new FakeClock();
    const registry = createRegistry(clock, { disableHostname: true });
    registry.addSample('api.http', 100, { path: 'a"b' });
    await clock.advance(11_000);
    for (let value = 1; value <= 10; value++) registry.addSample('api.http', value, { path: 'a"b' });
    registry.incrCounter('rpc.request', 2);
    registry.incrCounter('rpc.request', 3);
    registry.setGauge('runtime.alloc_bytes', 7);
    expect(registry.prometheus()).toBe(
      [
        '# HELP consul_api_http consul_api_http',
        '# TYPE consul_api_http summary',
        'consul_api_http{path="a\\"b",quantile="0.5"} 5',
        'consul_api_http{path="a\\"b",quantile="0.9"} 9',
        'consul_api_http{path="a\\"b",quantile="0.99"} 10',
        'consul_api_http_sum{path="a\\"b"} 155',
        'consul_api_http_count{path="a\\"b"} 11',
        '# HELP consul_rpc_request consul_rpc_request',
        '# TYPE consul_rpc_request counter',
        'consul_rpc_request 5',
        '# HELP consul_runtime_alloc_bytes consul_runtime_alloc_bytes',
        '# TYPE consul_runtime_alloc_bytes gauge',
        'consul_runtime_alloc_bytes 7',
        '',
      ].join('\n'),
    );
  });

  it('forgets what was not updated for the retention time', async () => {
    const clock = new FakeClock();
    const registry = createRegistry(clock, { prometheusRetentionMs: 30_000 });
    registry.incrCounter('old');
    await clock.advance(31_000);
    registry.incrCounter('new');
    expect(registry.prometheus()).not.toContain('consul_old');
    expect(registry.prometheus()).toContain('consul_new');
  });

  it('keeps nothing when it is off', () => {
    const registry = createRegistry(new FakeClock(), { prometheusRetentionMs: 0 });
    registry.incrCounter('a');
    expect(registry.prometheus()).toBe('');
  });

  it('makes valid names', () => {
    expect(prometheusName('consul.raft.commitTime-x')).toBe('consul_raft_commitTime_x');
    expect(prometheusName('1a')).toBe('_1a');
  });

  it('has NaN where nothing was measured', () => {
    expect(quantileOf([], 0.5)).toBeNaN();
    expect([quantileOf([1], 0.99), quantileOf([1, 2], 0.5)]).toEqual([1, 1]);
  });
});

describe('statsd', () => {
  it('gets what is measured, several to a packet', async () => {
    const receiver = createSocket('udp4');
    await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
    const packet = new Promise<string>((resolve) => receiver.once('message', (bytes) => resolve(bytes.toString())));
    const clock = new FakeClock();
    const sink = new StatsdSink(`127.0.0.1:${receiver.address().port}`, clock);
    const registry = createRegistry(clock, { forward: sink, disableHostname: true });
    registry.setGauge('g', 1);
    registry.incrCounter('c', 2, { method: 'GET' });
    registry.addSample('s', 3);
    await clock.advance(100);
    expect(await packet).toBe('consul.g:1|g\nconsul.c.GET:2|c\nconsul.s:3|ms\n');
    sink.close();
    receiver.close();
  });
});

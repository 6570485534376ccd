import { connectProxyConfig, decode } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import type { ProxyRegistration } from '../control-plane/port.ts';
import { diffConfig } from './diff.ts';
import { configFromRegistration } from './from-registration.ts';
import { describeUpstream, type ProxyConfig } from './types.ts';
import { parseUpstreamFlag } from './upstream-flag.ts';

function registration(proxy: object, other: Partial<ProxyRegistration> = {}): ProxyRegistration {
  return { id: 'web-sidecar-proxy', kind: 'connect-proxy', address: '', port: 21_000, proxy: decode(connectProxyConfig, proxy), ...other };
}

const WEB = { DestinationServiceName: 'web', LocalServiceAddress: '127.0.0.1', LocalServicePort: 8080 };
const SOCAT = { DestinationName: 'socat', LocalBindPort: 9191 };

function upstreamsOf(...upstreams: object[]): ProxyConfig {
  return configFromRegistration(registration({ ...WEB, Upstreams: upstreams }));
}

describe('a registration as configuration', () => {
  it('takes the defaults of consul-facts K075-K078', () => {
    expect(upstreamsOf(SOCAT)).toEqual({
      service: 'web',
      publicListener: {
        host: '0.0.0.0',
        port: 21_000,
        applicationHost: '127.0.0.1',
        applicationPort: 8080,
        localConnectTimeoutMs: 1000,
        handshakeTimeoutMs: 10_000,
        maxConnections: 16_384,
      },
      upstreams: [
        {
          destinationType: 'service',
          service: 'socat',
          namespace: 'default',
          datacenter: '',
          host: '127.0.0.1',
          port: 9191,
          socketPath: '',
          connectTimeoutMs: 10_000,
          maxConnections: 16_384,
        },
      ],
    });
  });

  it.each([-1, 70_000])('connects to no application on port %i, which is none', (LocalServicePort) => {
    expect(configFromRegistration(registration({ ...WEB, LocalServicePort })).publicListener?.applicationPort).toBe(0);
  });

  it('reads the opaque settings, numbers and their texts, and passes over nonsense', () => {
    const config = {
      bind_address: '127.0.0.1',
      bind_port: '4000',
      local_connect_timeout_ms: 250,
      handshake_timeout_ms: -1,
      max_inbound_connections: {},
    };
    const { publicListener } = configFromRegistration(registration({ ...WEB, Config: config }));
    expect(publicListener).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      localConnectTimeoutMs: 250,
      handshakeTimeoutMs: 10_000,
      maxConnections: 16_384,
    });
    const [upstream] = upstreamsOf({ ...SOCAT, Config: { connect_timeout_ms: 5, limits: { max_connections: 7 } } }).upstreams;
    expect(upstream).toMatchObject({ connectTimeoutMs: 5, maxConnections: 7 });
  });

  it('knows unix sockets of the local service, the Prometheus address, and what it cannot do', () => {
    const config = configFromRegistration(
      registration({
        ...WEB,
        LocalServiceSocketPath: '/run/web.sock',
        Config: { prometheus_bind_addr: '127.0.0.1:9102' },
        Upstreams: [{ ...SOCAT, DestinationPeer: 'east', DestinationPort: 'admin' }],
      }),
    );
    expect(config.publicListener?.applicationSocketPath).toBe('/run/web.sock');
    expect(config.prometheusBindAddr).toBe('127.0.0.1:9102');
    expect(config.upstreams[0]).toMatchObject({ peer: 'east', destinationPort: 'admin' });
  });

  it('has no public listener without a port', () => {
    expect(configFromRegistration(registration(WEB, { port: 0 })).publicListener).toBeUndefined();
  });

  it('is refused when it is not a sidecar', () => {
    expect(() => configFromRegistration(registration(WEB, { kind: '' }))).toThrow('service is not a valid connect proxy');
  });
});

describe('the difference of two configurations (consul-facts K079)', () => {
  it('is everything at first', () => {
    const diff = diffConfig(undefined, upstreamsOf(SOCAT));
    expect(diff.publicListener).toBe('open');
    expect(diff.upstreams.open.map(({ service }) => service)).toEqual(['socat']);
  });

  it('is nothing between equal ones', () => {
    expect(diffConfig(upstreamsOf(SOCAT), upstreamsOf(SOCAT))).toEqual({
      publicListener: 'none',
      upstreams: { close: [], open: [], update: [] },
    });
  });

  it('touches only the upstream that changed', () => {
    const db = { DestinationName: 'db', LocalBindPort: 9292 };
    const diff = diffConfig(
      upstreamsOf(SOCAT, db),
      upstreamsOf(SOCAT, { ...db, LocalBindPort: 9393 }, { DestinationName: 'x', LocalBindPort: 1 }),
    );
    expect(diff.publicListener).toBe('none');
    expect(diff.upstreams.close.map(({ port }) => port)).toEqual([9292]);
    expect(diff.upstreams.open.map(({ port }) => port)).toEqual([9393, 1]);
  });

  it('keeps the listener when only a timeout changed', () => {
    const diff = diffConfig(upstreamsOf(SOCAT), upstreamsOf({ ...SOCAT, Config: { connect_timeout_ms: 5 } }));
    expect(diff.upstreams).toMatchObject({ close: [], open: [] });
    expect(diff.upstreams.update.map(({ connectTimeoutMs }) => connectTimeoutMs)).toEqual([5]);
  });

  it.each([
    ['update', { ...WEB, LocalServicePort: 9 }, 21_000],
    ['replace', WEB, 21_001],
    ['close', WEB, 0],
  ])('says %s for the public listener', (change, proxy, port) => {
    const before = configFromRegistration(registration(WEB));
    expect(diffConfig(before, configFromRegistration(registration(proxy, { port }))).publicListener).toBe(change);
  });
});

describe('-upstream (consul-facts C036)', () => {
  it.each([
    ['socat:9191', '127.0.0.1:9191->service:default/socat'],
    ['db:127.0.0.10:8282', '127.0.0.10:8282->service:default/db'],
    ['db.service:1', '127.0.0.1:1->service:default/db'],
    ['near.query:1', '127.0.0.1:1->prepared_query:default/near'],
    ['db:0x10', '127.0.0.1:16->service:default/db'],
  ])('%s', (text, described) => {
    expect(describeUpstream(parseUpstreamFlag(text))).toBe(described);
  });

  it.each([
    ['bad', 'Upstream value should be name:addr in "bad"'],
    ['db.x:1', "Upstream type must be blank, 'service', or 'query'. Got: \"x\""],
    ['db:abc', 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['db:70000', 'port 70000 is out of range'],
  ])('%s is refused', (text, message) => {
    expect(() => parseUpstreamFlag(text)).toThrow(message);
  });
});

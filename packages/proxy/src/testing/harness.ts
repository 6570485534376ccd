import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { type CheckServiceNode, connectProxyConfig, decode, silentMetrics } from '@lictor/protocol';
import { freePort, MemoryLogger } from '@lictor/protocol/testing';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { DEFAULTS, type ProxyConfig } from '../config/types.ts';
import { createProxy, type Proxy } from '../proxy.ts';
import type { ProxyOptions, ProxyPorts } from '../options.ts';
import { type Authority, createAuthority } from './authority.ts';
import { FakeMesh } from './fake-control-plane.ts';

export interface RunningProxy {
  readonly proxy: Proxy;
  readonly log: MemoryLogger;
  /** The port of its (first) upstream listener. */
  readonly upstreamPort: number;
  readonly publicPort: number;
}

/** A mesh on loopback with real sockets and certificates; everything it made is closed by `close`. */
export class Harness {
  readonly mesh = new FakeMesh();
  readonly authority: Authority;
  readonly #cleanups: (() => unknown)[] = [];

  static async create(): Promise<Harness> {
    const harness = new Harness(await createAuthority());
    harness.publishRoots(harness.authority);
    harness.mesh.setDefault(true);
    return harness;
  }

  private constructor(authority: Authority) {
    this.authority = authority;
  }

  publishRoots(...authorities: readonly Authority[]): void {
    const roots = authorities.map(({ root }, index) => ({ ...root, Active: index === 0 }));
    this.mesh.roots.set({ ActiveRootID: roots[0]?.ID ?? '', TrustDomain: this.authority.trustDomain, Roots: roots });
  }

  /** A local application. */
  async application(onConnection: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      onConnection(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#cleanups.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return portOf(server);
  }

  echo(): Promise<number> {
    return this.application((socket) => socket.pipe(socket));
  }

  /** Starts the sidecar of `service` and waits until it is ready. */
  async sidecar(
    service: string,
    config: Partial<ProxyConfig>,
    options: Partial<ProxyOptions> = {},
    ports: Partial<ProxyPorts> = {},
  ): Promise<RunningProxy> {
    const started = await this.start(service, config, options, ports);
    await started.proxy.ready;
    return { ...started, upstreamPort: [...started.proxy.upstreamPorts.values()][0] ?? 0, publicPort: started.proxy.publicPort ?? 0 };
  }

  async start(
    service: string,
    config: Partial<ProxyConfig>,
    options: Partial<ProxyOptions> = {},
    ports: Partial<ProxyPorts> = {},
  ): Promise<{ readonly proxy: Proxy; readonly log: MemoryLogger }> {
    if (this.mesh.leaf(service).value === undefined) this.mesh.leaf(service).set(await this.authority.issue({ service }));
    const log = new MemoryLogger('proxy');
    const proxy = createProxy(
      { source: { kind: 'static', config: { service, upstreams: [], ...config } }, drainTimeoutMs: 0, ...options },
      { controlPlane: this.mesh.controlPlane(), clock: systemClock, random: systemRandom, logger: log, metrics: silentMetrics, ...ports },
    );
    this.#cleanups.push(() => proxy.stop());
    proxy.start();
    return { proxy, log };
  }

  /** A destination with its sidecar in front of `applicationPort`, known to discovery. */
  async destination(service: string, applicationPort: number, options: Partial<ProxyOptions> = {}): Promise<RunningProxy> {
    const running = await this.sidecar(service, { publicListener: publicListener(applicationPort) }, options);
    this.addInstance(service, running.publicPort);
    return running;
  }

  addInstance(service: string, port: number): void {
    const known = this.mesh.instancesOf(service).value ?? [];
    this.mesh.instancesOf(service).set([...known, instance(service, port)]);
  }

  /** A sidecar with one upstream. */
  async source(
    service: string,
    destination: string,
    options: Partial<ProxyOptions> = {},
    ports: Partial<ProxyPorts> = {},
  ): Promise<RunningProxy> {
    return this.sidecar(service, { upstreams: [upstreamTo(destination, await freePort())] }, options, ports);
  }

  async close(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup();
  }
}

export function publicListener(applicationPort: number): NonNullable<ProxyConfig['publicListener']> {
  return {
    host: '127.0.0.1',
    port: 0,
    applicationHost: '127.0.0.1',
    applicationPort,
    localConnectTimeoutMs: DEFAULTS.localConnectTimeoutMs,
    handshakeTimeoutMs: DEFAULTS.handshakeTimeoutMs,
    maxConnections: DEFAULTS.maxConnections,
  };
}

export function upstreamTo(service: string, port: number): ProxyConfig['upstreams'][number] {
  return {
    destinationType: 'service',
    service,
    namespace: 'default',
    datacenter: '',
    host: '127.0.0.1',
    port,
    socketPath: '',
    connectTimeoutMs: DEFAULTS.connectTimeoutMs,
    maxConnections: DEFAULTS.maxConnections,
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('server does not listen');
  return address.port;
}

/** What the health endpoint says of a sidecar on loopback; only the fields that a proxy reads matter. */
export function instance(service: string, port: number): CheckServiceNode {
  const index = { CreateIndex: 1, ModifyIndex: 1 };
  return {
    Node: { ID: '', Node: `node-${port}`, Address: '127.0.0.1', Datacenter: 'dc1', TaggedAddresses: null, Meta: null, ...index },
    Service: {
      Kind: 'connect-proxy',
      ID: `${service}-sidecar-proxy`,
      Service: `${service}-sidecar-proxy`,
      Tags: [],
      Address: '',
      TaggedAddresses: null,
      Meta: null,
      Port: port,
      SocketPath: '',
      Weights: { Passing: 1, Warning: 1 },
      EnableTagOverride: false,
      Proxy: decode(connectProxyConfig, { DestinationServiceName: service }),
      Connect: { Native: false },
      PeerName: '',
      ...index,
    },
    Checks: [],
  };
}

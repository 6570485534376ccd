import { describe, expect, it } from 'vitest';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import { FakeMesh } from '../testing/fake-control-plane.ts';
import { SelfRegistrar } from './self-registrar.ts';

const REGISTRATION = { id: 'web-proxy', name: 'web-proxy', address: '127.0.0.1', port: 8443, destination: 'web', checkId: 'web-proxy-ttl' };

describe('a proxy that registers itself', () => {
  it('keeps its check passing and its registration fresh', async () => {
    const [clock, mesh] = [new FakeClock(), new FakeMesh()];
    new SelfRegistrar(REGISTRATION, { clock, controlPlane: mesh.controlPlane(), logger: new MemoryLogger() }).start();
    await clock.advance(30_000);
    expect(mesh.calls).toEqual(['register web-proxy', 'pass web-proxy-ttl', 'pass web-proxy-ttl', 'register web-proxy']);
  });

  it('tries again until the agent takes it', async () => {
    const [clock, mesh, log] = [new FakeClock(), new FakeMesh(), new MemoryLogger()];
    mesh.setAway(true);
    new SelfRegistrar(REGISTRATION, { clock, controlPlane: mesh.controlPlane(), logger: log }).start();
    await clock.advance(10_000);
    mesh.setAway(false);
    await clock.advance(10_000);
    expect(mesh.calls).toEqual(['register web-proxy', 'register web-proxy', 'register web-proxy']);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'Failed to register Consul service',
      'Failed to register Consul service',
      'registered Consul service',
    ]);
  });

  it('gives up deregistering after three attempts', async () => {
    const [clock, mesh, log] = [new FakeClock(), new FakeMesh(), new MemoryLogger()];
    const registrar = new SelfRegistrar(REGISTRATION, { clock, controlPlane: mesh.controlPlane(), logger: log });
    registrar.start();
    await clock.advance(0);
    mesh.setAway(true);
    const stopped = registrar.stop();
    await clock.advance(2000);
    await stopped;
    expect(mesh.calls.filter((call) => call === 'deregister web-proxy')).toHaveLength(3);
  });
});

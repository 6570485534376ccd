import type { Metrics } from '@lictor/protocol';
import { describe, expect, it } from 'vitest';
import { registration } from '../testing/endpoints.ts';
import { createTestServer } from '../testing/index.ts';

describe('UsageReporter (consul-facts M005)', () => {
  it('sets the state gauges every ten seconds, from the state as it is then', async () => {
    const gauges = new Map<string, number>();
    const metrics: Metrics = {
      setGauge: (name, value, labels) => void gauges.set(name + JSON.stringify(labels ?? {}), value),
      incrCounter: () => undefined,
      addSample: () => undefined,
    };
    const server = await createTestServer({}, { metrics });
    await server.clock.advance(10_000);
    expect(gauges.get('state.service_instances{}')).toBe(1);
    await server.port.call(
      'Catalog.Register',
      registration({ Node: 'n', Service: { ID: 'w', Service: 'web', Port: 80, Connect: { Native: true } } }),
    );
    const entry = { Key: 'a', Value: Buffer.alloc(0), Flags: 0, Session: '', ModifyIndex: 0 };
    await server.port.call('KVS.Apply', { operation: 'set', entry });
    await server.clock.advance(10_000);
    expect(Object.fromEntries(gauges)).toMatchObject({
      'state.nodes{}': 2,
      'state.services{}': 2,
      'state.service_instances{}': 2,
      'state.billable_service_instances{}': 1,
      'state.connect_instances{"kind":"connect-native"}': 1,
      'state.kv_entries{}': 1,
      'members.servers{}': 1,
    });
    await server.stop();
    expect(server.clock.pendingTimers).toBe(0);
  });
});

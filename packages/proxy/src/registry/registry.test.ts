import { TrustBundle } from '@lictor/pki';
import { describe, expect, it } from 'vitest';
import type { AuthenticatedPeer } from '../identity/authenticate.ts';
import { type OpenStream, StreamRegistry } from './registry.ts';

const bundle = new TrustBundle([]);

function peer(service: string, serial = '01'): AuthenticatedPeer {
  const id = { kind: 'service', trustDomain: 'td', partition: 'default', namespace: 'default', datacenter: 'dc1', service } as const;
  const der = new Uint8Array();
  return {
    ok: true,
    id,
    uri: `spiffe://td/${service}`,
    serial,
    leafDer: der,
    intermediatesDer: [],
    bundle,
    verifiedMs: 0,
    validUntilMs: 0,
  };
}

/** A stream that leaves the registry when it is closed, as real ones do. */
function add(
  registry: StreamRegistry,
  service: string,
  closed: string[],
  direction: OpenStream['direction'] = 'inbound',
  serial?: string,
): void {
  const stream: OpenStream = {
    direction,
    peer: peer(service, serial),
    authenticatedMs: 0,
    close: (reason) => {
      closed.push(`${service}: ${reason}`);
      registry.remove(stream);
    },
  };
  registry.add(stream);
}

describe('the registry of open streams', () => {
  it('closes what the question says, asking once per certificate', () => {
    const registry = new StreamRegistry();
    const closed: string[] = [];
    for (let count = 0; count < 3; count++) add(registry, 'web', closed);
    add(registry, 'api', closed);
    add(registry, 'web', closed, 'upstream');
    const asked: string[] = [];
    const groups = registry.closeWhere((stream) => {
      asked.push(`${stream.direction} ${stream.peer.id.service}`);
      return stream.direction === 'inbound' && stream.peer.id.service === 'web' ? 'denied' : undefined;
    });
    expect(asked.sort()).toEqual(['inbound api', 'inbound web', 'upstream web']);
    expect(groups).toEqual([{ direction: 'inbound', peerUri: 'spiffe://td/web', reason: 'denied', count: 3 }]);
    expect(closed).toEqual(['web: denied', 'web: denied', 'web: denied']);
    expect(registry.size).toBe(2);
  });

  it('tells two certificates of one service apart', () => {
    const registry = new StreamRegistry();
    const closed: string[] = [];
    add(registry, 'web', closed, 'inbound', '01');
    add(registry, 'web', closed, 'inbound', '02');
    registry.closeWhere((stream) => (stream.peer.serial === '02' ? 'CA changed' : undefined));
    expect(registry.size).toBe(1);
  });

  it('says when it is empty', async () => {
    const registry = new StreamRegistry();
    await registry.whenEmpty();
    add(registry, 'web', []);
    let empty = false;
    const waiting = registry.whenEmpty().then(() => (empty = true));
    await Promise.resolve();
    expect(empty).toBe(false);
    registry.closeAll('stop');
    await waiting;
    expect(empty).toBe(true);
  });
});

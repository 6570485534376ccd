import { type HealthCheck, NO_TOKEN, silentLogger } from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { createMaintenanceRow } from '../local/rows.ts';
import { FakeServerPort, readReply } from '../testing/server-port.ts';
import { aliasStatus, LocalAliasCheck, RemoteAliasCheck } from './alias.ts';

const row = (fields: Partial<HealthCheck>): HealthCheck => ({
  ...createMaintenanceRow('n', undefined, ''),
  CheckID: 'x',
  Status: 'passing',
  ...fields,
});
const TARGET = { checkId: 'self', node: '', serviceId: 'web' };

describe('alias checks (consul-facts K042)', () => {
  it.each([
    ['nothing to look at', [], 'passing', 'No checks found.'],
    ['all good', [row({ ServiceID: 'web' })], 'passing', 'All checks passing.'],
    [
      'a warning',
      [row({ ServiceID: 'web' }), row({ ServiceID: 'web', Status: 'warning', Name: 'w', Output: 'o' })],
      'warning',
      'Aliased check "w" failing: o',
    ],
    [
      'critical beats warning',
      [row({ ServiceID: 'web', Status: 'warning' }), row({ ServiceID: 'web', Status: 'critical', Name: 'c', Output: 'o' })],
      'critical',
      'Aliased check "c" failing: o',
    ],
    ['the node counts', [row({ Status: 'critical', Name: 'node' })], 'critical', 'Aliased check "node" failing: '],
    ['other services do not', [row({ ServiceID: 'db', Status: 'critical' })], 'passing', 'No checks found.'],
    ['nor does itself', [row({ CheckID: 'self', Status: 'critical' })], 'passing', 'No checks found.'],
  ] as const)('%s', (_name, checks, status, output) => {
    expect(aliasStatus(TARGET, checks, true)).toEqual({ status, output });
  });

  it('is critical for a service that does not exist', () => {
    expect(aliasStatus(TARGET, [], false)).toEqual({ status: 'critical', output: 'Service web could not be found on node ' });
  });

  it('follows local changes, once a turn', async () => {
    const liveChecks = new Map<string, HealthCheck>();
    const listeners = new Set<(id: string) => void>();
    const source = {
      liveServices: new Map([['web', {}]]),
      liveChecks,
      onHealth: (listener: (id: string) => void) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    const published: string[] = [];
    const clock = new FakeClock();
    const check = new LocalAliasCheck(TARGET, source, clock, (status, output) => published.push(`${status} ${output}`));
    check.start();
    liveChecks.set('a', row({ CheckID: 'a', ServiceID: 'web', Status: 'critical', Name: 'a' }));
    for (const listener of listeners) {
      listener('web');
      listener('web');
      listener('db');
    }
    await clock.advance(0);
    expect(published).toEqual(['passing No checks found.', 'critical Aliased check "a" failing: ']);
    check.stop();
    expect(listeners.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks the servers about another node, and goes on after failures', async () => {
    const clock = new FakeClock();
    let calls = 0;
    const server = new FakeServerPort({
      'Health.NodeChecks': (_request, { signal }) => {
        calls += 1;
        if (calls <= 2) throw new Error('away');
        if (calls === 3) return readReply([row({ Node: 'other', ServiceID: 'web', Status: 'warning', Name: 'w' })], { index: 9 });
        return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true }));
      },
      'Catalog.NodeServices': () => readReply(null),
    });
    const published: string[] = [];
    const ports = { server, clock, random: seededRandom(1), logger: silentLogger, token: () => NO_TOKEN };
    const check = new RemoteAliasCheck({ ...TARGET, node: 'Other' }, ports, (status, output) => published.push(`${status} ${output}`));
    check.start();
    await clock.advance(10_000);
    expect(published).toEqual(['critical Failure checking aliased node or service: away', 'warning Aliased check "w" failing: ']);
    expect(server.calls.at(-1)?.options.query).toMatchObject({ minIndex: 9, consistency: 'stale' });
    check.stop();
  });
});

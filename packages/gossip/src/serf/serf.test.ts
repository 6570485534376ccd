import { describe, expect, it } from 'vitest';
import { SerfCluster } from '../testing/serf-cluster.ts';
import { home } from '../testing/driven-swim.ts';
import type { SerfEffects, SerfEvent } from './effects.ts';
import { encodeSerfMessage } from '../wire/serf-codec.ts';

const HOUR_MS = 3_600_000;
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('statuses', () => {
  it('one that leaves is leaving, then left, and never failed', () => {
    const cluster = new SerfCluster({ seed: 1, nodes: 8 }).formed().do('n3', (core, nowMs) => core.leave(nowMs));
    expect(cluster.sim.until(() => cluster.statuses('n3').includes('leaving'), 2000, 10)).toBe(true);
    expect(cluster.sim.until(() => cluster.core('n3').departure === 'gone', 15_000)).toBe(true);
    expect(cluster.events('n3').at(-1)).toEqual({ type: 'departed' });
    cluster.sim.kill('n3');
    cluster.pass(30_000);
    expect(cluster.statuses('n3')).toEqual(['left']);
    expect(cluster.membership('n1', 'n3')).toEqual(['join', 'leave']);
  });

  it('alone in its pool leaves at once', () => {
    const cluster = new SerfCluster({ seed: 2, nodes: 1 }).do('n1', (core, nowMs) => core.leave(nowMs));
    cluster.pass(1);
    expect(cluster.core('n1').departure).toBe('gone');
  });

  it('one that fails is tried again, and is alive when it answers', () => {
    const cluster = new SerfCluster({ seed: 3, nodes: 10 }).formed();
    cluster.sim.network.partition(1, [cluster.sim.node('n4').address]);
    cluster.pass(60_000);
    expect(cluster.statuses('n4')).toEqual(['failed']);
    cluster.sim.network.heal();
    expect(cluster.sim.until(() => String(cluster.statuses('n4')) === 'alive', 20 * 60_000)).toBe(true);
  });

  it('a pool that was cut in two becomes one again by itself', () => {
    const cluster = new SerfCluster({ seed: 4, nodes: 12 }).formed();
    cluster.sim.network.partition(
      1,
      ['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => cluster.sim.node(name).address),
    );
    cluster.pass(90_000);
    expect(
      cluster
        .core('n1')
        .members()
        .filter(({ status }) => status === 'failed'),
    ).toHaveLength(7);
    cluster.sim.network.heal();
    const isOne = (): boolean => cluster.sim.up.every(({ core }) => core.members().every(({ status }) => status === 'alive'));
    expect(cluster.sim.until(isOne, 5 * 60_000)).toBe(true);
  });
});

describe('reaping', () => {
  it('forgets the failed after 72 hours, and those who left after 24', () => {
    const cluster = new SerfCluster({
      seed: 5,
      nodes: 3,
      serf: { probeIntervalMs: 60_000, pushPullIntervalMs: HOUR_MS, reconnectIntervalMs: HOUR_MS },
    });
    cluster.formed().do('n2', (core, nowMs) => core.leave(nowMs));
    cluster.pass(20_000).sim.kill('n2');
    cluster.sim.kill('n3');
    cluster.pass(HOUR_MS);
    expect(cluster.core('n1').member('n3')?.status).toBe('failed');
    cluster.pass(22.9 * HOUR_MS);
    expect(cluster.core('n1').member('n2')?.status).toBe('left');
    cluster.pass(0.2 * HOUR_MS);
    expect(cluster.core('n1').member('n2')).toBeUndefined();
    cluster.pass(47.8 * HOUR_MS);
    expect(cluster.core('n1').member('n3')?.status).toBe('failed');
    cluster.pass(1.5 * HOUR_MS);
    expect(
      cluster
        .core('n1')
        .members()
        .map(({ name }) => name),
    ).toEqual(['n1']);
    expect(cluster.membership('n1', 'n3')).toEqual(['join', 'failed', 'reap']);
    expect(cluster.core('n1').nodes.map(({ name }) => name)).toEqual(['n1']);
  });
});

describe('force-leave', () => {
  it('makes a failed member one that has left, everywhere', () => {
    const cluster = new SerfCluster({ seed: 6, nodes: 6 }).formed();
    cluster.sim.kill('n6');
    cluster
      .pass(40_000)
      .do('n1', (core, nowMs) => core.forceLeave('n6', false, nowMs))
      .pass(3000);
    expect(cluster.statuses('n6')).toEqual(['left']);
    cluster.do('n2', (core, nowMs) => core.forceLeave('n6', true, nowMs)).pass(3000);
    expect(cluster.statuses('n6')).toEqual([undefined]);
  });

  it('of a member that is there changes nothing: it says so', () => {
    const cluster = new SerfCluster({ seed: 7, nodes: 6 }).formed();
    cluster.do('n1', (core, nowMs) => core.forceLeave('n5', false, nowMs)).pass(5000);
    expect(cluster.statuses('n5')).toEqual(['alive']);
  });

  it('and prune of one that was only cut off: it is alive again when it comes back', () => {
    const cluster = new SerfCluster({ seed: 8, nodes: 6 }).formed();
    cluster.sim.network.partition(1, [cluster.sim.node('n6').address]);
    cluster
      .pass(40_000)
      .do('n1', (core, nowMs) => core.forceLeave('n6', true, nowMs))
      .pass(5000);
    cluster.sim.network.heal();
    expect(cluster.sim.until(() => String(cluster.statuses('n6')) === 'alive', 10 * 60_000)).toBe(true);
    cluster.pass(60_000);
    expect(cluster.statuses('n6')).toEqual(['alive']);
  });
});

describe('user events', () => {
  it('reach all, once each, though datagrams are lost', () => {
    const cluster = new SerfCluster({ seed: 9, nodes: 30, network: { lossRate: 0.2 } }).formed();
    cluster.do('n7', (core, nowMs) => core.userEvent('deploy', bytes('v2'), false, nowMs)).pass(90_000);
    const counts = cluster.sim.nodes.map(({ name }) => cluster.events(name).filter(({ type }) => type === 'user-event').length);
    expect(new Set(counts)).toEqual(new Set([1]));
  });

  it('have Lamport times that go on from what was heard', () => {
    const cluster = new SerfCluster({ seed: 10, nodes: 3 }).formed();
    for (const name of ['n1', 'n2', 'n3', 'n1'])
      cluster.do(name, (core, nowMs) => core.userEvent('e', bytes(name), false, nowMs)).pass(2000);
    const times = cluster.events('n2').flatMap((event) => (event.type === 'user-event' ? [event.event.time] : []));
    expect(times).toEqual([1, 2, 3, 4]);
  });

  it('of the past come to one that joins, unless it does not want them', () => {
    for (const ignoresOldEvents of [false, true]) {
      const cluster = new SerfCluster({ seed: 11, nodes: 2, serf: { ignoresOldEvents } }).formed();
      cluster.do('n1', (core, nowMs) => core.userEvent('old', bytes(''), false, nowMs)).pass(3000);
      cluster.sim.add('late', '10.9.0.1:8301').join(cluster.sim.node('n1').address);
      cluster
        .pass(5000)
        .do('n1', (core, nowMs) => core.userEvent('new', bytes(''), false, nowMs))
        .pass(3000);
      const names = cluster.events('late').flatMap((event) => (event.type === 'user-event' ? [event.event.name] : []));
      expect(names).toEqual(ignoresOldEvents ? ['new'] : ['old', 'new']);
    }
  });

  it('that may be coalesced are delivered by the last of each name', () => {
    const cluster = new SerfCluster({ seed: 12, nodes: 2, serf: { coalesceMs: 3000, quiescentMs: 1000 } }).formed();
    for (const value of ['1', '2', '3']) cluster.do('n1', (core, nowMs) => core.userEvent('reload', bytes(value), true, nowMs)).pass(300);
    cluster.do('n1', (core, nowMs) => core.userEvent('now', bytes('x'), false, nowMs)).pass(5000);
    const seen = cluster
      .events('n2')
      .flatMap((event) => (event.type === 'user-event' ? [`${event.event.name} ${text(event.event.payload)}`] : []));
    expect(seen).toEqual(['now x', 'reload 3']);
  });

  it('are small', () => {
    const cluster = new SerfCluster({ seed: 13, nodes: 1 });
    expect(() => cluster.core('n1').userEvent('e', new Uint8Array(512), false, 0)).toThrow(
      'user event exceeds configured limit of 512 bytes',
    );
  });
});

describe('queries', () => {
  const ask = (
    cluster: SerfCluster,
    more: { nodes?: string[]; tags?: Record<string, string>; wantsAck?: boolean; relays?: number },
  ): SerfEvent[] => {
    for (const { name } of cluster.sim.nodes) {
      const answered = new Set<number>();
      cluster.sim.time.every(
        () => 20,
        () => {
          for (const event of cluster.events(name)) {
            if (event.type !== 'query' || answered.has(event.query.token)) continue;
            answered.add(event.query.token);
            cluster.do(name, (core, nowMs) => core.respond(event.query.token, bytes(`from ${name}`), nowMs));
          }
        },
      );
    }
    cluster.do('n1', (core, nowMs) => void core.query({ name: 'who', payload: bytes(''), ...more }, nowMs)).pass(15_000);
    return cluster.events('n1').filter(({ type }) => type === 'response' || type === 'ack' || type === 'query-done');
  };
  const responders = (events: readonly SerfEvent[]): string[] =>
    events.flatMap((event) => (event.type === 'response' ? [event.response.from] : [])).toSorted();

  it('bring an answer of each member, and end when their time is over', () => {
    const events = ask(new SerfCluster({ seed: 14, nodes: 5 }).formed(), { wantsAck: true });
    expect(responders(events)).toEqual(['n1', 'n2', 'n3', 'n4', 'n5']);
    expect(events.filter(({ type }) => type === 'ack')).toHaveLength(5);
    expect(events.at(-1)?.type).toBe('query-done');
  });

  it('ask only those who are named, or whose tags match', () => {
    expect(responders(ask(new SerfCluster({ seed: 15, nodes: 5 }).formed(), { nodes: ['n2', 'n5'] }))).toEqual(['n2', 'n5']);
    const cluster = new SerfCluster({ seed: 16, nodes: 5 }).formed();
    cluster.do('n4', (core, nowMs) => core.setTags({ role: 'web' }, nowMs));
    expect(responders(ask(cluster, { tags: { role: 'web' } }))).toEqual(['n4']);
  });

  it('are answered through others, too, where datagrams get lost; each answer counts once', () => {
    const cluster = new SerfCluster({ seed: 17, nodes: 12, network: { lossRate: 0.3 } }).formed();
    const from = responders(ask(cluster, { relays: 4 }));
    expect(from).toEqual([...new Set(from)]);
    expect(from.length).toBeGreaterThanOrEqual(11);
  });

  it('have limits, both ways', () => {
    const cluster = new SerfCluster({ seed: 18, nodes: 1 });
    expect(() => cluster.core('n1').query({ name: 'q', payload: new Uint8Array(1024) }, 0)).toThrow('query exceeds limit of 1024 bytes');
    cluster.do('n1', (core, nowMs) => void core.query({ name: 'q', payload: bytes('') }, nowMs));
    const query = cluster.events('n1').find(({ type }) => type === 'query');
    const token = query?.type === 'query' ? query.query.token : 0;
    expect(() => cluster.core('n1').respond(token, new Uint8Array(1024), 0)).toThrow('response exceeds limit of 1024 bytes');
    cluster.core('n1').respond(token, bytes('once'), 0);
    expect(() => cluster.core('n1').respond(token, bytes('twice'), 0)).toThrow('past the deadline');
  });

  it('that others would refuse are refused at once', () => {
    const { sim } = new SerfCluster({ seed: 23, nodes: 1 });
    const { core } = sim.node('n1');
    for (const bad of [{ relays: 17 }, { timeoutMs: 1e10 }, { tags: { 'a\nb': 'c' } }, { nodes: [''] }]) {
      expect(() => core.query({ name: 'q', payload: bytes(''), ...bad }, 0)).toThrow(expect.objectContaining({ code: 'invalid' }));
    }
    expect(() => core.userEvent('a\nb', bytes(''), false, 0)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('do not make members answer to a stranger', () => {
    const cluster = new SerfCluster({ seed: 19, nodes: 3 }).formed();
    const forged = {
      type: 'query' as const,
      time: 9,
      id: 1,
      name: 'q',
      payload: bytes(''),
      nodes: [],
      tags: {},
      wantsAck: true,
      relays: 3,
      timeoutMs: 1000,
    };
    const before = cluster.sim.node('n2').traffic.datagrams;
    for (const [from, fromAddress] of [
      ['stranger', home('z')],
      ['n1', home('z')],
    ] as const) {
      const payload = encodeSerfMessage({ ...forged, from, fromAddress });
      cluster.do('n2', (core, nowMs) => core.receive(home('z'), [{ type: 'app', payload }], nowMs));
    }
    expect(cluster.events('n2').filter(({ type }) => type === 'query')).toEqual([]);
    expect(cluster.sim.node('n2').traffic.datagrams).toBe(before);
  });
});

describe('names', () => {
  it('that two claim belong to the one whom most know', () => {
    const cluster = new SerfCluster({ seed: 20, nodes: 6, serf: { resolvesNameConflicts: true } }).formed();
    const lostBy = new Set<object>();
    const look = cluster.sim.onEffects;
    cluster.sim.onEffects = (node, effects) => {
      if ('serf' in effects && (effects as SerfEffects).serf.some(({ type }) => type === 'name-lost')) lostBy.add(node);
      look?.(node, effects);
    };
    const { address } = cluster.sim.node('n1');
    const twin = cluster.sim.add('n3', '10.9.0.1:8301', { id: 'another' });
    // It has found its way past the check of a join, with a pool of its own that is merged only now.
    const alive = {
      type: 'alive' as const,
      node: 'n1',
      incarnation: 1,
      id: 'id-of-n1',
      address,
      tags: {},
      versions: { min: 1, max: 1, current: 1 },
    };
    twin.command((core, nowMs) => core.receive(address, [alive], nowMs));
    for (const name of ['n1', 'n2', 'n4']) {
      const own = {
        type: 'alive' as const,
        node: 'n3',
        incarnation: 1,
        id: 'id-of-n3',
        address: '10.0.0.3:8301',
        tags: {},
        versions: alive.versions,
      };
      twin.command((core, nowMs) => core.receive(cluster.sim.node(name).address, [own], nowMs));
    }
    cluster.pass(30_000);
    const lost = cluster.sim.nodes.filter((node) => node.core.self.name === 'n3').map((node) => [node === twin, lostBy.has(node)]);
    expect(lost).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(cluster.core('n1').member('n3')?.address).toBe('10.0.0.3:8301');
  });
});

describe('bytes of a peer that are no message of serf', () => {
  it('are dropped, and the rest goes on', () => {
    const cluster = new SerfCluster({ seed: 21, nodes: 2 }).formed();
    cluster.do('n1', (core, nowMs) => core.receive(home('z'), [{ type: 'app', payload: Uint8Array.of(0x93, 0xff) }], nowMs));
    expect(cluster.sim.notices.get('malformed-app')).toBe(1);
    expect(cluster.core('n1').members()).toHaveLength(2);
  });
});

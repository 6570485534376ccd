import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '@lictor/protocol/testing';
import { Balancer, type Instance } from './balancer.ts';

const NONE: ReadonlySet<string> = new Set();

function instance(id: string, weight = 1): Instance {
  return { id, host: '10.0.0.1', port: 1000 + id.charCodeAt(0), datacenter: 'dc1', service: 'web', weight };
}

function balancer(...ids: string[]): Balancer {
  const created = new Balancer(seededRandom(1));
  created.update(ids.map((id) => instance(id)));
  return created;
}

describe('choosing an instance', () => {
  it('has none to offer when there is none, or all were tried', () => {
    expect(balancer().pick(0, NONE)).toBeUndefined();
    expect(balancer('a').pick(0, new Set(['a']))).toBeUndefined();
  });

  it('takes the less busy of two', () => {
    const two = balancer('a', 'b');
    two.started(instance('a'));
    for (let round = 0; round < 50; round++) expect(two.pick(0, NONE)?.id).toBe('b');
    two.started(instance('b'));
    two.started(instance('b'));
    for (let round = 0; round < 50; round++) expect(two.pick(0, NONE)?.id).toBe('a');
    two.finished(instance('a'));
    expect(two.pick(0, NONE)?.id).toBe('a');
  });

  it('counts load by weight', () => {
    const two = new Balancer(seededRandom(2));
    two.update([instance('a', 10), instance('b', 1)]);
    for (let streams = 0; streams < 5; streams++) two.started(instance('a'));
    expect(two.pick(0, NONE)?.id).toBe('a');
  });

  it('keeps the greatest load near the mean, where a blind choice does not (power of two choices)', () => {
    const ids = Array.from({ length: 20 }, (_, index) => String.fromCharCode(97 + index));
    const many = balancer(...ids);
    const load = new Map<string, number>();
    for (let stream = 0; stream < 2000; stream++) {
      const chosen = many.pick(0, NONE);
      if (chosen === undefined) throw new Error('nothing to pick');
      many.started(chosen);
      load.set(chosen.id, (load.get(chosen.id) ?? 0) + 1);
    }
    expect(Math.max(...load.values())).toBeLessThan(106);
  });
});

describe('outliers', () => {
  it('are left aside for a second, then twice as long with each failure, and forgiven after a success', () => {
    const two = balancer('a', 'b');
    two.failed(instance('a'), 0);
    for (let round = 0; round < 50; round++) expect(two.pick(999, NONE)?.id).toBe('b');
    expect(picks(two, 1000)).toEqual(new Set(['a', 'b']));
    two.failed(instance('a'), 1000);
    expect(picks(two, 2999)).toEqual(new Set(['b']));
    expect(picks(two, 3000)).toEqual(new Set(['a', 'b']));
    two.succeeded(instance('a'));
    two.failed(instance('a'), 4000);
    expect(picks(two, 5000)).toEqual(new Set(['a', 'b']));
  });

  it('are used when no other is left, the one that returns first before the others', () => {
    const two = balancer('a', 'b');
    two.failed(instance('a'), 0);
    two.failed(instance('b'), 500);
    expect(picks(two, 600)).toEqual(new Set(['a']));
    expect(two.pick(600, new Set(['a']))?.id).toBe('b');
  });

  it('are remembered across updates that keep their address, not across a move', () => {
    const two = balancer('a', 'b');
    two.failed(instance('a'), 0);
    two.update([instance('a'), instance('b'), instance('c')]);
    expect(picks(two, 10).has('a')).toBe(false);
    two.update([{ ...instance('a'), port: 1 }, instance('b')]);
    expect(picks(two, 10).has('a')).toBe(true);
  });

  it('never come before an instance in good health, whatever happened', () => {
    const event = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      what: fc.constantFrom('failed', 'succeeded', 'started', 'finished'),
      atMs: fc.nat(5000),
    });
    fc.assert(
      fc.property(fc.array(event), fc.integer(), (events, seed) => {
        const four = new Balancer(seededRandom(seed));
        four.update(['a', 'b', 'c', 'd'].map((id) => instance(id)));
        const ejectedUntilMs = new Map<string, number>();
        const failures = new Map<string, number>();
        for (const { id, what, atMs } of events) {
          if (what === 'failed') {
            four.failed(instance(id), atMs);
            failures.set(id, (failures.get(id) ?? 0) + 1);
            ejectedUntilMs.set(id, atMs + Math.min(1000 * 2 ** ((failures.get(id) ?? 1) - 1), 30_000));
          } else if (what === 'succeeded') {
            four.succeeded(instance(id));
            failures.delete(id);
            ejectedUntilMs.delete(id);
          } else if (what === 'started') four.started(instance(id));
          else four.finished(instance(id));
        }
        const healthy = ['a', 'b', 'c', 'd'].filter((id) => (ejectedUntilMs.get(id) ?? 0) <= 2500);
        const chosen = four.pick(2500, NONE)?.id ?? '';
        if (healthy.length > 0) expect(healthy).toContain(chosen);
      }),
    );
  });
});

function picks(from: Balancer, nowMs: number): Set<string> {
  return new Set(Array.from({ length: 60 }, () => from.pick(nowMs, NONE)?.id ?? ''));
}

import { describe, expect, it } from 'vitest';
import { spreadOf } from './arrivals.ts';
import { runScale } from './run-scale.ts';

describe('a mesh of several agents', { timeout: 120_000 }, () => {
  it('has everything in its catalog, and every sidecar hears of every change', async () => {
    const steps = await runScale({ servers: 3, clients: 4, services: 3, idleMs: 0 });
    expect(steps.map(({ name }) => name)).toEqual([
      'servers have a leader',
      '4 client agents start and are in the catalog',
      '12 services with sidecars are in the catalog',
      '12 sidecars serve, each with a certificate',
      'an intention for all arrives',
      'an instance of what all call leaves',
      'nothing happens',
    ]);
    expect(steps.flatMap(({ spread }) => spread?.count ?? [])).toEqual([12, 12]);
    for (const { load } of steps) expect(load.rssMib.map((mib) => mib > 10)).toEqual([true, true, true]);
  });
});

describe('a spread', () => {
  it('is made of ranks', () => {
    const times = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect(spreadOf(times)).toEqual({ count: 200, p50Ms: 101, p99Ms: 199, maxMs: 200 });
    expect(spreadOf([7])).toEqual({ count: 1, p50Ms: 7, p99Ms: 7, maxMs: 7 });
  });
});

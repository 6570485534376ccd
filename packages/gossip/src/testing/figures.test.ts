import { describe, expect, it } from 'vitest';
import { retransmitLimit, suspicionTimeoutMs } from '../swim/index.ts';
import { measure } from './figures.ts';

const NODES = 40;
const PROBE_MS = 1000;

describe('figures of a pool', () => {
  const figures = measure({ nodes: NODES, seed: 2, lossRate: 0, kills: 8 });

  it('detection is within the bounds of the formulas: a round of probes, and the suspicion', () => {
    const shortestMs = suspicionTimeoutMs(4, NODES, PROBE_MS);
    expect(figures.firstDetectionMs.min).toBeGreaterThan(shortestMs);
    // SWIM 3.1: someone probes it within e/(e-1) periods on average; with confirmations the suspicion is hardly longer than the shortest.
    expect(figures.firstDetectionMs.median).toBeLessThan(shortestMs + 4 * PROBE_MS);
  });

  it('a change is heard by all in about log n rounds of gossip', () => {
    const rounds = Math.log(NODES) / Math.log(4) + Math.log(NODES) / 3;
    expect(figures.disseminationMs.median).toBeLessThan(rounds * 200);
    expect(figures.disseminationMs.p99).toBeLessThan(2 * rounds * 200);
    expect(retransmitLimit(4, NODES)).toBe(8);
  });

  it('the load is a ping and an ack a second, and nobody is taken for dead who is there', () => {
    expect(figures.messagesPerSecond).toBeCloseTo(2, 0);
    expect(figures.falsePositivesPerHour).toBe(0);
  });
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Makes and drops a gigabyte of buffers on a heap of some size, and prints how often all of the heap was collected. */
const SCRIPT = `
const { countBuffersWithHeap } = await import(process.argv[2]);
const { performance, PerformanceObserver, constants } = await import('node:perf_hooks');
if (process.argv[1] === 'with') countBuffersWithHeap();
let count = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) count++;
}).observe({ entryTypes: ['gc'] });
globalThis.ballast = Array.from({ length: 300_000 }, (_, at) => ({ at }));
for (let round = 0; round < 2_000; round++) {
  for (let made = 0; made < 10; made++) globalThis.last = Buffer.allocUnsafeSlow(50_000);
  await new Promise((resolve) => setImmediate(resolve));
}
// What was observed is told in a later turn.
for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
console.log(count);
`;

function collections(mode: 'with' | 'without'): number {
  const file = join(import.meta.dirname, 'heap.ts');
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, mode, file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return Number(stdout);
}

describe('buffers that come and go', () => {
  it('have all of the heap collected less than half as often', { timeout: 30_000 }, () => {
    const without = collections('without');
    expect(without).toBeGreaterThan(4);
    expect(collections('with')).toBeLessThan(without / 2);
  });
});

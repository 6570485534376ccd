import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../scripts/sim.ts');
const SEEDS = Number(process.env['LICTOR_SIM_SEEDS'] ?? 500);
const run = promisify(execFile);

/** In processes of their own: both cores, and Node's own loader. */
async function simulate(...args: readonly string[]): Promise<string> {
  const options = { maxBuffer: 64 * 1024 * 1024 };
  return run(process.execPath, ['--conditions=lictor-source', SCRIPT, ...args], options).then(
    ({ stdout }) => stdout,
    (thrown: unknown) => (thrown instanceof Error && 'stdout' in thrown ? String(thrown.stdout) : String(thrown)),
  );
}

describe('whole servers in storms', () => {
  it(`keep every promise to their clients and each other, and converge in the calm, for ${SEEDS} seeds`, { timeout: 300_000 }, async () => {
    const output = await simulate('--seeds', String(SEEDS));
    const summary = /^(\d+) seeds, (\d+) failed; .*?: (\{.*\})$/m.exec(output);
    expect(output.split('\n').slice(0, 80).join('\n')).not.toMatch(/^seed \d+:/m);
    expect(summary?.slice(1, 3)).toEqual([String(SEEDS), '0']);
    // The storms are such, and the servers work through them.
    const totals = JSON.parse(summary?.[3] ?? '{}') as Readonly<Record<string, number>>;
    const perSeed = Object.fromEntries(Object.entries(totals).map(([name, total]) => [name, total / SEEDS]));
    expect(perSeed['acknowledgedWrites']).toBeGreaterThan(30);
    expect(perSeed['reads']).toBeGreaterThan(30);
    expect(perSeed['blockingReads']).toBeGreaterThan(10);
    expect(perSeed['locks']).toBeGreaterThan(5);
    expect(perSeed['elections']).toBeGreaterThan(1);
    expect(perSeed['crashes']).toBeGreaterThan(2);
    expect(totals['membershipChanges']).toBeGreaterThan(SEEDS / 10);
    expect(totals['restores']).toBeGreaterThan(SEEDS / 100);
  });
});

describe('a seed', () => {
  it('leads to the same events in the same order, in every process', { timeout: 60_000 }, async () => {
    const [first, second, other] = await Promise.all(['11', '11', '12'].map((seed) => simulate('--from', seed, '--seeds', '1', '--print')));
    expect(first).toMatch(/^trace [0-9a-f]{8}$/m);
    expect(traceOf(first)).toBe(traceOf(second));
    expect(traceOf(first)).not.toBe(traceOf(other));
  });
});

function traceOf(output: string | undefined): string {
  return /^trace ([0-9a-f]{8})$/m.exec(output ?? '')?.[1] ?? 'none';
}

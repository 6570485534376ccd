import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PLANTED_BUGS } from './planted-bugs.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/sim.ts');
const SEEDS = 2000;
const AT_ONCE = 2;
const run = promisify(execFile);

async function simulate(name: string): Promise<string> {
  const args = ['--conditions=lictor-source', SCRIPT, '--plant', name, '--seeds', String(SEEDS), '--jobs', '1', '--until-failure'];
  return run(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }).then(
    ({ stdout }) => stdout,
    (thrown: unknown) => (thrown instanceof Error && 'stdout' in thrown ? String(thrown.stdout) : String(thrown)),
  );
}

/** Those that wait for each other: every so many of them form one lane. */
const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve());

describe.concurrent(`a planted bug is found within ${SEEDS} seeds:`, () => {
  it.each(PLANTED_BUGS.map((bug, position) => ({ ...bug, position })))(
    'a server that $name',
    { timeout: 600_000 },
    async ({ name, position }) => {
      const lane = position % AT_ONCE;
      const outcome = (lanes[lane] ?? Promise.resolve()).then(async () => simulate(name));
      lanes[lane] = outcome.then(() => undefined);
      expect(await outcome).toMatch(/^seed \d+: /m);
    },
  );
});

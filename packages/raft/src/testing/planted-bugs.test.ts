import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts';

const PACKAGE = resolve(import.meta.dirname, '../..');
/** Beside the sources, where imports resolve as they do there; not in node_modules, whose types Node does not strip. */
const MUTANTS = join(PACKAGE, 'dist', `mutants-${process.pid}`);
const SEEDS = 2000;
const AT_ONCE = 2;
const run = promisify(execFile);
afterAll(() => rmSync(MUTANTS, { recursive: true, force: true }));

function plant(bug: PlantedBug, position: number): string {
  const folder = join(MUTANTS, String(position));
  mkdirSync(folder, { recursive: true });
  cpSync(join(PACKAGE, 'scripts'), join(folder, 'scripts'), { recursive: true });
  for (const part of ['core', 'testing']) {
    const to = join(folder, 'src', part);
    cpSync(join(PACKAGE, 'src', part), to, { recursive: true, filter: (path) => !path.endsWith('.test.ts') });
  }
  const path = join(folder, 'src', 'core', bug.file);
  const text = readFileSync(path, 'utf8');
  expect(text.split(bug.find)).toHaveLength(2);
  writeFileSync(
    path,
    text.replace(bug.find, () => bug.replace),
  );
  return join(folder, 'scripts', 'sim.ts');
}

async function simulate(script: string): Promise<string> {
  const args = ['--conditions=lictor-source', script, '--seeds', String(SEEDS), '--until-failure'];
  return run(process.execPath, args).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
  );
}

/** Mutants that wait for each other: every so many of them form one lane. */
const lanes = Array.from({ length: AT_ONCE }, () => Promise.resolve());

describe.concurrent(`a planted bug is found within ${SEEDS} seeds:`, () => {
  it.each(PLANTED_BUGS.map((bug, position) => ({ ...bug, position })))('a server that $name', { timeout: 300_000 }, async (bug) => {
    const script = plant(bug, bug.position);
    const lane = bug.position % AT_ONCE;
    const outcome = (lanes[lane] ?? Promise.resolve()).then(async () => simulate(script));
    lanes[lane] = outcome.then(() => undefined);
    expect(await outcome).toMatch(/^seed \d+: /m);
  });
});

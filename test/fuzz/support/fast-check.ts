import { appendFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';

/**
 * Stands in for fast-check in `npm run fuzz` (vitest.config.ts beside this folder): every property test of the tree gets the same
 * seed, COUNT times its examples and a limit on its time, without knowing of it.
 */
export * from 'fast-check';

/** fast-check's own, where a test says nothing. */
const USUAL_RUNS = 100;
const ROOT = resolve(import.meta.dirname, '../../..');
const COUNT = Number(process.env['LICTOR_FUZZ_COUNT'] ?? 1);
const SEED = Number(process.env['LICTOR_FUZZ_SEED'] ?? 0);
const PATH = process.env['LICTOR_FUZZ_PATH'];
const TIME_LIMIT_MS = Number(process.env['LICTOR_FUZZ_SECONDS'] ?? 60) * 1000;
const REPORT = process.env['LICTOR_FUZZ_REPORT'];

function assert<Ts>(property: fc.IAsyncProperty<Ts>, parameters?: fc.Parameters<Ts>): Promise<void>;
function assert<Ts>(property: fc.IProperty<Ts>, parameters?: fc.Parameters<Ts>): void;
function assert<Ts>(property: fc.IRawProperty<Ts>, parameters: fc.Parameters<Ts> = {}): Promise<void> | void {
  const { testPath = '', currentTestName = '' } = expect.getState();
  const startedMs = performance.now();
  const found = fc.check(property, {
    ...parameters,
    numRuns: (parameters.numRuns ?? USUAL_RUNS) * COUNT,
    seed: SEED,
    ...(PATH === undefined ? {} : { path: PATH }),
    interruptAfterTimeLimit: TIME_LIMIT_MS,
    markInterruptAsFailure: false,
  });
  const judge = (details: fc.RunDetails<Ts>): void => {
    const file = relative(ROOT, testPath);
    report({ file, test: currentTestName, runs: details.numRuns, ms: performance.now() - startedMs, isCut: details.interrupted });
    if (!details.failed) return;
    const name = currentTestName.replaceAll("'", "'\\''");
    const replay = `npm run fuzz -- --seed ${details.seed} --path ${details.counterexamplePath ?? ''} --only ${file} --test '${name}'`;
    throw new Error(`${fc.defaultReportMessage(details) ?? 'failed'}\n\nReplay: ${replay}`, { cause: details.errorInstance });
  };
  return found instanceof Promise ? found.then(judge) : judge(found);
}

function report(row: object): void {
  if (REPORT !== undefined) appendFileSync(REPORT, `${JSON.stringify(row)}\n`);
}

export default { ...fc, assert };

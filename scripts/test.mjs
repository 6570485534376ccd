// `npm test`: install, build, every test. Arguments go to vitest: `npm test -- packages/mesh`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, environment, fail, install, pinnedNode, ROOT, step } from './lib/runtime.mjs';

install();
build();
step('testing');
const report = join(ROOT, 'node_modules', '.cache', 'vitest-report.json');
mkdirSync(join(ROOT, 'node_modules', '.cache'), { recursive: true });
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const result = spawnSync(pinnedNode(), [vitest, 'run', ...reporters, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
  env: environment(),
});
if (result.error) fail(`vitest: ${result.error.message}`);

const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, success, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'));
// A file that fails to load has no failed test of its own; it must count all the same.
const failed = success || numFailedTests > 0 ? numFailedTests : 1;
process.stdout.write(`\n${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped\n`);
process.exit(result.status === 0 && failed === 0 && numTotalTests > 0 ? 0 : 1);

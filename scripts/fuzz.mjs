// `npm run fuzz -- --count N --seed S [--only PART] [--test NAME] [--path P] [--seconds T]`: every property test of the tree (whatever
// parses bytes of others has one) with N times the examples of `npm test`, from one seed. A failure prints a shrunk example and the
// command that replays it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { environment, fail, install, pinnedNode, ROOT, step } from './lib/runtime.mjs';

const USAGE = `usage: npm run fuzz -- [options]

  --count N     N times the examples that npm test runs (10)
  --seed S      the seed of every property (a new one)
  --only PART   a part of test/fuzz/parts.json, or a piece of a test file's path
  --test NAME   the tests whose full name matches
  --path P      one example, as a failure names it; wants --seed and --test
  --seconds T   the most one property may take (60)
  --list        the parts and their files`;

const PARTS = JSON.parse(readFileSync(join(ROOT, 'test', 'fuzz', 'parts.json'), 'utf8'));
const options = parse();
const seed = options.seed ?? String(Math.trunc(Math.random() * 2 ** 31));
const files = filesOf(options.only);
const REPORT = join(ROOT, 'node_modules', '.cache', 'fuzz.jsonl');

install();
mkdirSync(join(ROOT, 'node_modules', '.cache'), { recursive: true });
rmSync(REPORT, { force: true });
step(`fuzzing ${files.length} files: ${options.count} times the examples, seed ${seed}`);
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const args = [vitest, 'run', '--config', join(ROOT, 'test', 'fuzz', 'vitest.config.ts'), ...files];
// A name in vitest's filter is a pattern; a failure gives the name as it is.
if (options.test !== undefined) args.push('-t', options.test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
const result = spawnSync(pinnedNode(), args, {
  cwd: ROOT,
  stdio: 'inherit',
  env: {
    ...environment(),
    LICTOR_FUZZ_COUNT: options.count,
    LICTOR_FUZZ_SEED: seed,
    LICTOR_FUZZ_SECONDS: options.seconds,
    LICTOR_FUZZ_REPORT: REPORT,
    ...(options.path === undefined ? {} : { LICTOR_FUZZ_PATH: options.path }),
  },
});
if (result.error) fail(`vitest: ${result.error.message}`);
summarise();
process.exit(result.status ?? 1);

function parse() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        count: { type: 'string', default: '10' },
        seed: { type: 'string' },
        only: { type: 'string' },
        test: { type: 'string' },
        path: { type: 'string' },
        seconds: { type: 'string', default: '60' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    fail(`${error.message}\n\n${USAGE}`);
  }
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    process.exit(0);
  }
  if (values.list) {
    for (const [part, paths] of Object.entries(PARTS)) process.stdout.write(`${part}\n  ${paths.join('\n  ')}\n`);
    process.exit(0);
  }
  for (const [name, pattern] of Object.entries({
    count: /^[1-9]\d{0,5}$/,
    seed: /^-?\d{1,10}$/,
    path: /^[\d:]+$/,
    seconds: /^[1-9]\d{0,5}$/,
  }))
    if (values[name] !== undefined && !pattern.test(values[name])) fail(`--${name} ${values[name]}: not a number\n\n${USAGE}`);
  return values;
}

/** Every file with a property, or those that `only` names. */
function filesOf(only) {
  const all = [...testFiles('packages'), ...testFiles('test')].filter((file) =>
    readFileSync(join(ROOT, file), 'utf8').includes("from 'fast-check'"),
  );
  const found = only === undefined ? all : Object.hasOwn(PARTS, only) ? PARTS[only] : all.filter((file) => file.includes(only));
  if (found.length === 0) fail(`--only ${only}: no such part and no such file; parts: ${Object.keys(PARTS).join(', ')}`);
  return found;
}

function testFiles(folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : testFiles(path);
    return entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

function summarise() {
  if (!existsSync(REPORT)) return;
  const rows = readFileSync(REPORT, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const byFile = new Map();
  for (const { file, runs, ms, isCut } of rows) {
    const sum = byFile.get(file) ?? { properties: 0, runs: 0, ms: 0, cut: 0 };
    byFile.set(file, { properties: sum.properties + 1, runs: sum.runs + runs, ms: sum.ms + ms, cut: sum.cut + (isCut ? 1 : 0) });
  }
  process.stdout.write('\n  examples   seconds  file\n');
  for (const [file, { runs, ms, cut }] of [...byFile].toSorted((a, b) => b[1].ms - a[1].ms)) {
    const note = cut === 0 ? '' : `  (${cut} cut short by --seconds)`;
    process.stdout.write(`${String(runs).padStart(10)} ${(ms / 1000).toFixed(1).padStart(9)}  ${file}${note}\n`);
  }
  const examples = rows.reduce((sum, { runs }) => sum + runs, 0);
  process.stdout.write(`\n${examples} examples of ${rows.length} properties in ${byFile.size} files, seed ${seed}\n`);
}

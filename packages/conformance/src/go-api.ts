// Runs the tests of Consul's public Go client (module and version below) with our binary as `consul` on PATH, and compares the outcome
// with the lists beside: every name of passing.txt must pass, every other name must be in missing.json with its reason.
// Usage: node go-api.ts [--update] [test-name-regex]
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { createTestCertificates } from './go-api-certificates.ts';

const MODULE = 'github.com/hashicorp/consul/api';
const VERSION = 'v1.34.5';
const ROOT = resolve(import.meta.dirname, '../../..');
const LISTS = join(import.meta.dirname, '..', 'go-api');
const CACHE = join(ROOT, 'node_modules', '.cache', 'go-api');
const TIMEOUT = '20m';
/** Each test starts agents of its own and then mostly waits for them. */
const PARALLEL = 6;

type Outcome = 'pass' | 'fail' | 'skip';

const update = process.argv.includes('--update');
const pattern = process.argv.slice(2).find((argument) => !argument.startsWith('--'));

const testBinary = compile();
const outcomes = runTests(testBinary);
process.exitCode = report(outcomes) ? 0 : 1;

/** Compiles the client's tests once a version into our cache folder. */
function compile(): string {
  const binary = join(CACHE, VERSION, 'api.test');
  if (existsSync(binary)) return binary;
  mkdirSync(join(CACHE, VERSION), { recursive: true });
  const scratch = join(CACHE, VERSION);
  if (!existsSync(join(scratch, 'go.mod'))) go(scratch, ['mod', 'init', 'lictor-conformance']);
  go(scratch, ['get', '-t', `${MODULE}@${VERSION}`]);
  go(scratch, ['test', '-c', '-o', binary, MODULE]);
  return binary;
}

function go(cwd: string, args: readonly string[]): string {
  const result = spawnSync('go', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (result.status !== 0) throw new Error(`go ${args.join(' ')} ended with status ${result.status}`);
  return result.stdout.trim();
}

/** The tests read and write files beside their sources, so they run in a writable copy. */
function runTests(binary: string): Map<string, Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'lictor-go-api-'));
  try {
    const sources = go(join(CACHE, VERSION), ['list', '-m', '-f', '{{.Dir}}', MODULE]);
    cpSync(sources, join(folder, 'api'), { recursive: true });
    makeWritable(join(folder, 'api'));
    createTestCertificates(join(folder, 'test'));
    mkdirSync(join(folder, 'bin'));
    symlinkSync(join(ROOT, 'packages', 'cli', 'bin', 'lictor'), join(folder, 'bin', 'consul'));
    writeFileSync(join(CACHE, 'last-run.log'), '');
    const outcomes = new Map<string, Outcome>();
    let remaining = listTests(binary);
    // A panic in one test ends the process and takes the others along: those run again without it.
    while (remaining.length > 0) {
      const finished = runOnce(binary, folder, remaining);
      if (finished.size === 0) throw new Error(`nothing ran: see ${join(CACHE, 'last-run.log')}`);
      for (const [name, outcome] of finished) outcomes.set(name, outcome);
      remaining = remaining.filter((name) => !finished.has(name));
    }
    return outcomes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function listTests(binary: string): string[] {
  const result = spawnSync(binary, ['-test.list', pattern ?? '.*'], { encoding: 'utf8' });
  return result.stdout.split('\n').filter((name) => name.startsWith('Test'));
}

function runOnce(binary: string, folder: string, names: readonly string[]): Map<string, Outcome> {
  const selection = `-test.run=^(${names.join('|')})$`;
  const result = spawnSync(binary, ['-test.v', `-test.timeout=${TIMEOUT}`, `-test.parallel=${PARALLEL}`, selection], {
    cwd: join(folder, 'api'),
    env: { ...process.env, PATH: `${join(folder, 'bin')}${delimiter}${process.env['PATH'] ?? ''}` },
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  appendFileSync(join(CACHE, 'last-run.log'), result.stdout + result.stderr);
  return parse(result.stdout + result.stderr);
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

/** What each test came to. After a panic only finished tests and the guilty one are in it. */
function parse(output: string): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const match of output.matchAll(/^--- (PASS|FAIL|SKIP): (Test[^\s/]+) /gm)) {
    outcomes.set(match[2] ?? '', (match[1] ?? '').toLowerCase() as Outcome);
  }
  const panicked = /^panic: /m.test(output) ? /\/api\.(Test\w+)/.exec(output.slice(output.search(/^panic: /m)))?.[1] : undefined;
  if (panicked !== undefined) outcomes.set(panicked, 'fail');
  return outcomes;
}

function report(all: Map<string, Outcome>): boolean {
  const listed = readLines('passing.txt');
  const reasons = JSON.parse(readFileSync(join(LISTS, 'missing.json'), 'utf8')) as Record<string, string>;
  const passing = [...all].filter(([, outcome]) => outcome === 'pass').map(([name]) => name);
  if (update) {
    const merged = [...new Set([...listed, ...passing])].toSorted();
    writeFileSync(join(LISTS, 'passing.txt'), `${merged.join('\n')}\n`);
  }
  const problems: string[] = [];
  for (const [name, outcome] of all) {
    const isListed = listed.includes(name);
    if (isListed && outcome !== 'pass') problems.push(`${name}: is in passing.txt but ${outcome}ed`);
    if (!isListed && outcome === 'pass' && !update) problems.push(`${name}: passes now: add it to passing.txt (--update)`);
    if (outcome !== 'pass' && !isListed && reasons[name] === undefined)
      problems.push(`${name}: ${outcome}ed and has no reason in missing.json`);
  }
  for (const name of listed) if (reasons[name] !== undefined) problems.push(`${name}: is in passing.txt and in missing.json`);
  if (pattern === undefined) for (const name of listed) if (!all.has(name)) problems.push(`${name}: is in passing.txt but did not run`);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  const skipped = [...all.values()].length - passing.length - problems.length;
  process.stdout.write(`${passing.length} passed, ${problems.length} failed, ${Math.max(0, skipped)} skipped\n`);
  return problems.length === 0;
}

function readLines(file: string): string[] {
  const path = join(LISTS, file);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
}

// The pinned Node runs everything, whatever Node the machine has (docs/decisions/0001-toolchain.md). This file and its callers
// must themselves run on Node 20.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MINIMUM = [24, 17];
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const STAMP = join(ROOT, 'node_modules', '.lictor-installed');

/** The path of a Node that may run Lictor, or an explanation and exit. */
export function pinnedNode() {
  const pinned = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return process.execPath;
  fail(
    `Lictor needs Node >= ${MINIMUM.join('.')}, this is ${process.version}, and no pinned Node is packaged for ` +
      `${process.platform}-${process.arch}. Install a newer Node and run the command again.`,
  );
}

/** Installs the workspace from the lockfile unless that was done already for this very lockfile. */
export function install() {
  const lockfile = join(ROOT, 'pnpm-lock.yaml');
  const fingerprint = String(statSync(lockfile).mtimeMs) + String(statSync(lockfile).size);
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint) return;
  step('installing packages');
  pnpm(['install', '--frozen-lockfile', '--reporter=append-only']);
  writeFileSync(STAMP, fingerprint);
}

export function build() {
  step('building');
  run(pinnedNode(), [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', 'tsconfig.json']);
  run(pinnedNode(), [join(ROOT, 'scripts', 'bundle.mjs')]);
}

/** pnpm through npx, so that a machine with only Node and npm is enough. */
export function pnpm(args) {
  run('npx', ['--yes', MANIFEST.packageManager, ...args], { shell: process.platform === 'win32' });
}

/** Runs to the end with our standard output; a failure ends this process with the same status. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', env: environment(), ...options });
  if (result.error) fail(`${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Starts and hands over: signals reach the child, its exit status becomes ours. */
export function handOver(command, args) {
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: environment() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}

/** Our environment with the pinned Node first on PATH, so that `#!/usr/bin/env node` finds it too. */
export function environment() {
  const separator = process.platform === 'win32' ? ';' : ':';
  return { ...process.env, PATH: `${join(ROOT, 'node_modules', '.bin')}${separator}${process.env.PATH ?? ''}` };
}

export function step(text) {
  process.stdout.write(`==> ${text}\n`);
}

export function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

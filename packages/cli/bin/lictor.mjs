#!/usr/bin/env node
// npm's bin entry, and the last step of the shell wrapper: checks Node, then runs the bundle or the source.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 17)) {
  process.stderr.write(
    `lictor needs Node.js >= 24.17 and this is ${process.version}.\nInstall a newer one, or name one in LICTOR_NODE and run packages/cli/bin/lictor.\n`,
  );
  process.exit(1);
}

const bundle = new URL('../dist/bundle/lictor.js', import.meta.url);
const built = new URL('../dist/main.js', import.meta.url);
const source = new URL('../src/main.ts', import.meta.url);
const isInstalled = import.meta.url.includes('/node_modules/');

if (process.env.LICTOR_SOURCE !== '1' && existsSync(bundle)) await import(bundle.href);
else if (isInstalled) await import(built.href);
else if (process.execArgv.includes('--conditions=lictor-source')) await import(source.href);
else runFromSource();

/** A clone that was not built: the packages resolve to their sources only under this condition, which must be there from the start. */
function runFromSource() {
  const args = [
    '--conditions=lictor-source',
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
  ];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => (signal === null ? process.exit(code ?? 1) : process.kill(process.pid, signal)));
}

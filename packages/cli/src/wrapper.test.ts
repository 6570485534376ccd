import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const WRAPPER = fileURLToPath(new URL('../bin/lictor', import.meta.url));
const ENTRY = fileURLToPath(new URL('../bin/lictor.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lictor wrapper-'));
afterAll(() => rmSync(folder, { recursive: true }));

// The sources, since a bundle may be old or not there.
const env = { ...process.env, LICTOR_SOURCE: '1' };

function start(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env, ...options });
  return { code: status, stdout, stderr };
}

describe('bin/lictor', () => {
  it('works from any folder, through symlinks to symlinks, under another name', () => {
    mkdirSync(join(folder, 'bin'));
    symlinkSync(WRAPPER, join(folder, 'bin', 'first'));
    symlinkSync('first', join(folder, 'bin', 'consul'));
    const { code, stderr } = start(join(folder, 'bin', 'consul'), ['kv'], { cwd: folder });
    expect([code, stderr.split('\n')[0]]).toEqual([1, 'Usage: consul kv <subcommand> [options] [args]']);
  });

  it('is found on PATH', () => {
    const { code, stderr } = start('/bin/sh', ['-c', 'consul bogus'], { env: { ...env, PATH: `${join(folder, 'bin')}:/usr/bin:/bin` } });
    expect([code, stderr.split('\n')[0]]).toEqual([127, 'Usage: consul [--version] [--help] <command> [<args>]']);
  });

  it('keeps arguments whole', () => {
    const { code, stderr } = start(WRAPPER, ['kv', 'put', 'a b', '', '*', 'c']);
    expect([code, stderr]).toEqual([1, 'Error! Too many arguments (expected 1 or 2, got 4)\n']);
  });

  it('takes the Node that LICTOR_NODE names', () => {
    const fake = join(folder, 'node');
    writeFileSync(fake, '#!/bin/sh\necho "fake node: $*"\n', { mode: 0o755 });
    expect(start(WRAPPER, ['version'], { env: { ...env, LICTOR_NODE: fake } }).stdout).toMatch(/^fake node: .*lictor\.mjs version\n$/);
  });

  it('becomes the process that it starts, so that signals reach it', async () => {
    const child = spawn(
      WRAPPER,
      ['agent', '-dev', '-http-port=-1', '-dns-port=-1', '-grpc-port=-1', '-hcl', 'ports { grpc_tls = -1 serf_lan = -1 }'],
      {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let output = '';
    for await (const chunk of child.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      output += chunk;
      if (output.includes('Consul agent running!')) child.kill('SIGTERM');
    }
    if (child.exitCode === null) await once(child, 'exit');
    expect(output).toContain('signal=terminated');
    expect([child.exitCode, child.signalCode]).toEqual([1, null]);
  });
});

describe('bin/lictor.mjs', () => {
  it('runs from a clone without the wrapper', () => {
    const { code, stdout } = start(process.execPath, [ENTRY, 'version']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Consul v1.21.0']);
  });
});

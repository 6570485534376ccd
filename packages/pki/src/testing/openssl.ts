import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The openssl command line, as an opinion that shares no code with ours. In CI it must be there: tests then run, and fail without it.
 */
export const hasOpenssl: boolean = spawnSync('openssl', ['version']).status === 0 || process.env.CI === 'true';
if (!hasOpenssl) process.stderr.write('openssl is not installed: tests that compare with it are skipped\n');

/** Runs openssl with `files` written into a folder of their own, which is its working directory; its standard output. */
export function openssl(args: readonly string[], files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'lictor-pki-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

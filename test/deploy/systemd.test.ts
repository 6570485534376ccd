import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run as runCli } from '../../packages/cli/src/testing/run.ts';
import { ROOT } from '../support/process.ts';

const FOLDER = join(ROOT, 'deploy/systemd');
const units = readdirSync(FOLDER).filter((name) => name.endsWith('.service'));
const valueOf = (unit: string, key: string): string =>
  new RegExp(`^${key}=(.*)$`, 'm').exec(readFileSync(join(FOLDER, unit), 'utf8'))?.[1] ?? '';

describe('deploy/systemd', () => {
  it.each(units)('%s starts a command that exists, with flags that it takes', async (unit) => {
    const [program, ...words] = valueOf(unit, 'ExecStart').split(' ');
    expect(program).toBe('/usr/local/bin/lictor');
    const command = words.filter((word) => !word.startsWith('-'));
    const { stdout } = await runCli([...command, '-help']);
    for (const flag of words.filter((word) => word.startsWith('-'))) expect(stdout).toContain(`  ${flag.split('=')[0]}`);
  });

  it('waits for longer than an agent may take to leave, and a sidecar to drain', () => {
    expect(units).toEqual(['lictor-sidecar@.service', 'lictor.service']);
    expect(Number(valueOf('lictor.service', 'TimeoutStopSec'))).toBeGreaterThan(15);
    const page = readFileSync(join(ROOT, 'docs/reference/proxy.md'), 'utf8');
    const [, drainS = ''] = /^\| `-drain-timeout` \| `(\d+)s` \|/m.exec(page) ?? [];
    expect(Number(valueOf('lictor-sidecar@.service', 'TimeoutStopSec'))).toBeGreaterThan(Number.parseInt(drainS, 10));
  });
});

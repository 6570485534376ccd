import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NEVER, probeContext } from '../testing/definitions.ts';
import { createScriptProbe } from './script.ts';

const probe = (args: readonly string[], fields = {}, extra = {}) =>
  createScriptProbe(probeContext({ args, interval: '1s', ...fields }, extra))(NEVER);

describe('script checks (consul-facts K033)', () => {
  it.each([
    [0, 'passing'],
    [1, 'warning'],
    [2, 'critical'],
    [127, 'critical'],
  ])('exit code %d is %s', async (code, status) => {
    expect(await probe(['/bin/sh', '-c', `echo out; echo err >&2; exit ${code}`])).toEqual({ status, output: 'out\nerr\n' });
  });

  it('runs no shell: arguments are arguments', async () => {
    expect((await probe(['/bin/echo', '$(id)', ';', 'ls'])).output).toBe('$(id) ; ls\n');
  });

  it('keeps the end of long output and says so', async () => {
    const result = await probe(['/bin/sh', '-c', 'printf abcdefgh'], {}, { outputMaxBytes: 3 });
    expect(result.output).toBe('Captured 3 of 8 bytes\n...\nfgh');
  });

  it('kills the whole process group at the timeout', async () => {
    const result = await probe(['/bin/sh', '-c', 'sleep 300 & echo $!; sleep 300'], { timeout: '300ms' });
    expect(result.status).toBe('critical');
    const [first, child] = result.output.split('\n\n');
    expect(first).toBe('Timed out (300ms) running check');
    const grandchild = Number(child?.trim());
    expect(grandchild).toBeGreaterThan(1);
    // Gone, or a zombie that waits for init to collect it: either way it no longer runs.
    const isRunning = (): boolean => {
      try {
        return !readFileSync(`/proc/${grandchild}/stat`, 'utf8').includes(') Z ');
      } catch {
        return false;
      }
    };
    await expect.poll(isRunning).toBe(false);
  });

  it('says what cannot be run', async () => {
    expect(await probe(['/no/such/thing'])).toEqual({
      status: 'critical',
      output: 'exec: "/no/such/thing": executable file not found in $PATH',
    });
  });
});

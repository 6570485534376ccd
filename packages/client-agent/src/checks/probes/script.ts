import { spawn } from 'node:child_process';
import { formatDuration } from '@lictor/protocol';
import { OutputBuffer } from '../output-buffer.ts';
import type { Probe } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { SCRIPT_TIMEOUT_MS, timeoutMs } from './context.ts';
import { startDeadline } from './deadline.ts';
import { byExitCode } from './exit-code.ts';

/**
 * Runs the arguments without a shell, in a process group of its own, which is killed as a whole at the timeout
 * (consul-facts K033; security.md: script checks). Exit 0 is passing, 1 warning, anything else critical.
 */
export function createScriptProbe(context: ProbeContext): Probe {
  const limitMs = timeoutMs(context.definition, SCRIPT_TIMEOUT_MS);
  const [command = '', ...args] = context.definition.ScriptArgs;
  return async (signal) => {
    const output = new OutputBuffer(context.outputMaxBytes);
    const deadline = startDeadline(context.clock, limitMs, signal);
    try {
      const exitCode = await run(command, args, output, deadline.signal);
      if (!deadline.isOver()) return byExitCode(exitCode, output.toCapturedText());
      const captured = output.toCapturedText();
      const text = `Timed out (${formatDuration(limitMs)}) running check`;
      return { status: 'critical', output: captured === '' ? text : `${text}\n\n${captured}` };
    } catch (error) {
      return { status: 'critical', output: spawnErrorText(command, error) };
    } finally {
      deadline.end();
    }
  };
}

function run(command: string, args: readonly string[], output: OutputBuffer, signal: AbortSignal): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => output.write(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.write(chunk));
    child.once('error', reject);
    const kill = (): void => killGroup(child.pid);
    signal.addEventListener('abort', kill, { once: true });
    // `exit`, not `close`: a grandchild that holds the pipes must not keep the check from ending.
    child.once('exit', (code) => {
      signal.removeEventListener('abort', kill);
      setImmediate(() => resolve(code));
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}

function spawnErrorText(command: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `exec: "${command}": executable file not found in $PATH`;
  if (code === 'EACCES') return `fork/exec ${command}: permission denied`;
  return error instanceof Error ? error.message : String(error);
}

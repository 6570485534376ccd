import { type ChildProcess, spawn } from 'node:child_process';
import type { Io } from './io.ts';

export interface ChildOptions {
  /** `shell` runs the words as one line of `$SHELL -c` (or /bin/sh), else they are a program and its arguments. */
  readonly shell: boolean;
  readonly env: Readonly<Record<string, string>>;
  /** Written to its standard input; absent: `passStdin` decides. */
  readonly input?: string;
  /** Give it this process's standard input; else it has none. */
  readonly passStdin?: boolean;
}

export interface RunningChild {
  readonly pid: number | undefined;
  /** Undefined when it ended well, else why not, in Go's words: `exit status 1`, `signal: killed`. Never rejects. */
  readonly ended: Promise<string | undefined>;
  kill(signal: NodeJS.Signals): void;
}

/** Why a program could not be started at all. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Starts a program that shares this process's output and gets its signals. @throws StartError */
export async function startChild(words: readonly string[], io: Io, options: ChildOptions): Promise<RunningChild> {
  const [program = '', ...args] = options.shell ? [io.env.SHELL || '/bin/sh', '-c', words.join(' ')] : words;
  const stdin = options.input === undefined ? (options.passStdin ? 'inherit' : 'ignore') : 'pipe';
  const output = io.inheritsProcess ? 'inherit' : 'pipe';
  const child = spawn(program, args, { cwd: io.cwd, env: { ...io.env, ...options.env }, stdio: [stdin, output, output] });
  forwardOutput(child, io);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new StartError(describeStart(program, error))));
  });
  const stopForwarding = io.onSignal((signal) => void child.kill(signal));
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('close', (code, signal) => {
      stopForwarding();
      resolve(describeEnd(code, signal));
    });
  });
  if (options.input !== undefined) {
    // A program that does not read its input closes it early: no failure of ours.
    child.stdin?.once('error', () => undefined);
    child.stdin?.end(options.input);
  }
  return { pid: child.pid, ended, kill: (signal) => void child.kill(signal) };
}

function forwardOutput(child: ChildProcess, io: Io): void {
  child.stdout?.on('data', (chunk: Uint8Array) => io.stdout.write(chunk));
  child.stderr?.on('data', (chunk: Uint8Array) => io.stderr.write(chunk));
}

function describeStart(program: string, error: Error & { readonly code?: string }): string {
  if (error.code === 'ENOENT') return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  return error.message;
}

const SIGNAL_TEXTS: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGABRT: 'aborted',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGPIPE: 'broken pipe',
  SIGTERM: 'terminated',
};

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal !== null) return `signal: ${SIGNAL_TEXTS[signal] ?? signal}`;
  return code === 0 ? undefined : `exit status ${code ?? -1}`;
}

import { Buffer } from 'node:buffer';
import type { Io } from '../framework/io.ts';
import { runCommandLine } from '../process.ts';

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** `host:port` of an agent, or of a fixture that answers like one. */
  readonly agent?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Told of all of standard output so far, as it grows. */
  readonly onStdout?: (text: string) => void;
  /** Gets the command's signal listeners, as the process would call them. */
  readonly onSignal?: Io['onSignal'];
}

/** Runs a command line in this process. Words are separated by single blanks. */
export async function run(commandLine: string | readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const chunks = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const io: Io = {
    stdout: {
      write: (chunk) => {
        chunks.stdout.push(Buffer.from(chunk));
        options.onStdout?.(Buffer.concat(chunks.stdout).toString('utf8'));
      },
    },
    stderr: { write: (chunk) => void chunks.stderr.push(Buffer.from(chunk)) },
    stdin: toStream(options.stdin ?? ''),
    env: { PATH: process.env.PATH ?? '', ...(options.agent === undefined ? {} : { CONSUL_HTTP_ADDR: options.agent }), ...options.env },
    cwd: options.cwd ?? process.cwd(),
    signal: options.signal ?? new AbortController().signal,
    onSignal: options.onSignal ?? (() => () => undefined),
    inheritsProcess: false,
    program: 'lictor',
    executable: '/usr/bin/lictor',
  };
  const argv = typeof commandLine === 'string' ? commandLine.split(' ') : commandLine;
  const exitCode = await runCommandLine(argv, io);
  return { exitCode, stdout: Buffer.concat(chunks.stdout).toString('utf8'), stderr: Buffer.concat(chunks.stderr).toString('utf8') };
}

async function* toStream(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

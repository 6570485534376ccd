import { basename } from 'node:path';
import { commandTable } from './commands/table.ts';
import { type Command, messageOf } from './framework/command.ts';
import { dispatch } from './framework/dispatch.ts';
import { EXIT } from './framework/exit-codes.ts';
import { type Io, type Output, print } from './framework/io.ts';

/** Kept alive while a command runs: timers of the SDK are unreferenced, and a command that only waits must not end. */
const KEEP_ALIVE_MS = 2 ** 31 - 1;
const COMPLETION_FLAGS = new Set([
  '-autocomplete-install',
  '--autocomplete-install',
  '-autocomplete-uninstall',
  '--autocomplete-uninstall',
]);
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;

/** Runs this process's command line, then ends the process. */
export async function main(): Promise<never> {
  process.stdout.on('error', endOnBrokenPipe);
  process.stderr.on('error', endOnBrokenPipe);
  const stop = new AbortController();
  const io = processIo(stop.signal);
  const keepAlive = setInterval(() => undefined, KEEP_ALIVE_MS);
  const exitCode = await runCommandLine(process.argv.slice(2), io, (command) => {
    if (!command.handlesSignals) return;
    for (const signal of STOP_SIGNALS) process.on(signal, () => stop.abort(new Error(`received ${signal}`)));
  });
  clearInterval(keepAlive);
  await drained(process.stdout);
  process.exit(exitCode);
}

/** The whole command line in process: dispatch, run, and a last line of defence for what no command expected. */
export async function runCommandLine(
  argv: readonly string[],
  io: Io,
  beforeRun: (command: Command) => void = () => undefined,
): Promise<number> {
  try {
    if (io.env.COMP_LINE !== undefined) return await complete(io.env.COMP_LINE, io);
    if (argv.length === 1 && COMPLETION_FLAGS.has(argv[0] ?? '')) return await changeCompletion(argv[0] ?? '', io);
    const decision = await dispatch(commandTable, argv, io);
    if (decision.kind === 'done') return decision.exitCode;
    beforeRun(decision.command);
    return await decision.command.run(decision.args, io);
  } catch (error) {
    io.stderr.write(`Error: ${messageOf(error)}\n`);
    if (io.env.LICTOR_DEBUG && error instanceof Error) io.stderr.write(`${error.stack}\n`);
    return EXIT.failure;
  }
}

async function complete(line: string, io: Io): Promise<number> {
  const { candidates } = await import('./completion/candidates.ts');
  for (const word of await candidates(commandTable, line)) print(io, word);
  return EXIT.ok;
}

async function changeCompletion(flag: string, io: Io): Promise<number> {
  const { installCompletion, uninstallCompletion } = await import('./completion/install.ts');
  const target = { home: io.env.HOME ?? '', program: io.program, executable: io.executable ?? io.program };
  await (flag.endsWith('-autocomplete-install') ? installCompletion(target) : uninstallCompletion(target));
  return EXIT.ok;
}

function processIo(signal: AbortSignal): Io {
  return {
    stdout: outputTo(process.stdout),
    stderr: outputTo(process.stderr),
    get stdin() {
      return process.stdin as AsyncIterable<Uint8Array>;
    },
    env: process.env,
    // Asked for only when needed: it fails in a folder that is gone.
    get cwd() {
      return process.cwd();
    },
    signal,
    onSignal: (listener) => {
      for (const name of FORWARDED_SIGNALS) process.on(name, listener);
      return () => {
        for (const name of FORWARDED_SIGNALS) process.removeListener(name, listener);
      };
    },
    inheritsProcess: true,
    program: basename(process.env.LICTOR_PROGRAM ?? 'lictor'),
    executable: process.env.LICTOR_EXECUTABLE ?? process.argv[1] ?? 'lictor',
  };
}

function outputTo(stream: NodeJS.WriteStream): Output {
  return { write: (chunk) => void stream.write(chunk) };
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** `lictor kv get x | head`: the reader has seen enough. */
function endOnBrokenPipe(error: Error & { readonly code?: string }): void {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure);
}

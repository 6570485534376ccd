/** Where a command writes. Bytes go out as they are. */
export interface Output {
  write(chunk: string | Uint8Array): void;
}

/** Everything that a command has of the outside: tests run commands in process with an Io of their own. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted when the process is asked to stop (SIGINT, SIGTERM), for commands that say `handlesSignals`. */
  readonly signal: AbortSignal;
  /** Called for every signal that reaches the process while a command that `handlesSignals` runs; returns how to stop listening. */
  readonly onSignal: (listener: (signal: NodeJS.Signals) => void) => () => void;
  /** True in a real process: programs that a command starts write straight to its standard output and error. */
  readonly inheritsProcess?: boolean;
  /** The name that the program was called by, as usage texts show it. */
  readonly program: string;
  /** Where the program is, for shells to call back; absent: they find it by its name. */
  readonly executable?: string;
}

/** A line on standard output. */
export function print(io: Io, line: string): void {
  io.stdout.write(`${line}\n`);
}

/** A line on standard error. */
export function printError(io: Io, line: string): void {
  io.stderr.write(`${line}\n`);
}

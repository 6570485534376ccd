import type { LictorClient } from '@lictor/sdk';
import { EXIT } from './exit-codes.ts';
import { type Flags, type FlagValues, parseFlags } from './flags.ts';
import { formatHelp } from './help.ts';
import { type ClientFlagValues, clientFlags, createHttpClient } from './http-flags.ts';
import { type Io, printError } from './io.ts';

/** One subcommand. `run` depends on its arguments and its Io only. */
export interface Command {
  /** One line, for listings. */
  readonly synopsis: string;
  /** True: SIGINT and SIGTERM abort `io.signal` instead of ending the process. */
  readonly handlesSignals?: boolean;
  /** True: has subcommands and does nothing by itself but show its help and fail. */
  readonly isGroup?: boolean;
  /** Flag names, for shell completion. */
  readonly flagNames?: readonly string[];
  help(program: string): string;
  /** @returns the exit code */
  run(args: readonly string[], io: Io): Promise<number>;
}

export interface Invocation<F extends Flags> {
  readonly flags: FlagValues<F>;
  readonly given: ReadonlySet<string>;
  readonly args: readonly string[];
  readonly io: Io;
  /** The command's help text, for usage errors. */
  readonly help: string;
}

export interface CommandDefinition<F extends Flags> {
  readonly synopsis: string;
  /** Help text; `{program}` stands for the program's name. The first line shows the usage. */
  readonly usage: string;
  readonly flags: F;
  readonly handlesSignals?: boolean;
  /** Exit code of a flag that does not parse. Default 1. */
  readonly usageExitCode?: number;
  readonly run: (invocation: Invocation<F>) => Promise<number>;
}

/** A command that parses its flags before it runs. */
export function defineCommand<const F extends Flags>(definition: CommandDefinition<F>): Command {
  const { synopsis, usage, flags, handlesSignals = false, usageExitCode = EXIT.failure } = definition;
  const help = (program: string): string => formatHelp(usage, flags, program);
  return {
    synopsis,
    handlesSignals,
    flagNames: Object.keys(flags),
    help,
    run: async (argv, io) => {
      const parsed = parseFlags(flags, argv);
      if (parsed.kind !== 'parsed') {
        if (parsed.kind === 'error') printError(io, parsed.message);
        printError(io, help(io.program));
        return usageExitCode;
      }
      try {
        return await definition.run({ flags: parsed.values, given: parsed.given, args: parsed.args, io, help: help(io.program) });
      } catch (error) {
        if (!(error instanceof CommandFailure)) throw error;
        printError(io, error.message);
        return error.exitCode;
      }
    },
  };
}

/** A command that only has subcommands. */
export function defineGroup(synopsis: string, usage: string): Command {
  return {
    synopsis,
    isGroup: true,
    help: (program) => usage.replaceAll('{program}', program).trim(),
    run: async () => EXIT.failure,
  };
}

export interface ApiInvocation<F extends Flags> extends Invocation<F> {
  /** Connects on first use, so that arguments are checked first, as Consul does. */
  readonly client: () => LictorClient;
}

/** A command that talks to an agent: takes the client flags, closes its connections at the end, and reports what it threw. */
export function defineApiCommand<const F extends Flags>(
  definition: Omit<CommandDefinition<F>, 'run'> & { run(invocation: ApiInvocation<F & typeof clientFlags>): Promise<number> },
): Command {
  const flags = { ...definition.flags, ...clientFlags };
  return defineCommand({
    ...definition,
    flags,
    run: async (invocation) => {
      let client: LictorClient | undefined;
      const connect = (): LictorClient => {
        client ??= setUpClient(invocation.flags, invocation.io);
        return client;
      };
      try {
        return await definition.run({ ...(invocation as Invocation<F & typeof clientFlags>), client: connect });
      } finally {
        await client?.close();
      }
    },
  });
}

/** Ends a command with a message on standard error. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failure, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The client cannot be set up: reported as it is, whatever was to be done with it. */
class SetupFailure extends CommandFailure {}

/** Runs `action`; what it throws becomes `<context>: <its message>`. */
export async function failing<T>(context: string, action: () => Promise<T>, exitCode: number = EXIT.failure): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof SetupFailure) throw error;
    throw new CommandFailure(`${context}: ${messageOf(error)}`, exitCode, { cause: error });
  }
}

function setUpClient(values: ClientFlagValues, io: Io): LictorClient {
  try {
    return createHttpClient(values, io);
  } catch (error) {
    throw new SetupFailure(`Error connecting to Consul agent: ${messageOf(error)}`, EXIT.failure, { cause: error });
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

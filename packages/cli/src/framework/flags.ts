/**
 * Go's flag syntax: `-x`, `--x`, `-x=value`, `-x value`; a boolean takes a value only after `=`; parsing stops at the
 * first argument that is no flag, and behind `--`. Errors are worded as Go words them: scripts match on them.
 */
export interface Flag<T> {
  readonly usage: string;
  /** What stands for the value in the help text; empty for booleans. */
  readonly placeholder: string;
  readonly isBoolean?: boolean;
  readonly initial: T;
  /** Takes one occurrence. @throws FlagError */
  parse(text: string, previous: T): T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = { readonly [Name in keyof F]: F[Name]['initial'] };

/** Why a value does not fit its flag. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

export type ParsedFlags<F extends Flags> =
  | {
      readonly kind: 'parsed';
      readonly values: FlagValues<F>;
      /** Flags that were given, even with their default. */
      readonly given: ReadonlySet<string>;
      readonly args: readonly string[];
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'error'; readonly message: string };

export function parseFlags<F extends Flags>(flags: F, argv: readonly string[]): ParsedFlags<F> {
  const values = new Map(Object.entries(flags).map(([name, flag]) => [name, flag.initial]));
  const given = new Set<string>();
  let position = 0;
  while (position < argv.length) {
    const argument = argv[position] ?? '';
    if (argument.length < 2 || !argument.startsWith('-')) break;
    position++;
    if (argument === '--') break;
    const outcome = parseOne(flags, argument, argv[position], values);
    if (typeof outcome === 'string') return outcome === 'help' ? { kind: 'help' } : { kind: 'error', message: outcome };
    given.add(outcome.name);
    if (outcome.tookNext) position++;
  }
  return { kind: 'parsed', values: Object.fromEntries(values) as FlagValues<F>, given, args: argv.slice(position) };
}

/** Stores one flag's value; a string is an error's text, or `help`. */
function parseOne(
  flags: Flags,
  argument: string,
  next: string | undefined,
  values: Map<string, unknown>,
): string | { readonly name: string; readonly tookNext: boolean } {
  const body = argument.slice(argument.startsWith('--') ? 2 : 1);
  if (body === '' || body.startsWith('-') || body.startsWith('=')) return `bad flag syntax: ${argument}`;
  const equals = body.indexOf('=');
  const name = equals < 0 ? body : body.slice(0, equals);
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined) return name === 'help' || name === 'h' ? 'help' : `flag provided but not defined: -${name}`;
  const attached = equals < 0 ? undefined : body.slice(equals + 1);
  const text = attached ?? (flag.isBoolean ? 'true' : next);
  if (text === undefined) return `flag needs an argument: -${name}`;
  try {
    values.set(name, flag.parse(text, values.get(name)));
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const quoted = JSON.stringify(text);
    return flag.isBoolean
      ? `invalid boolean value ${quoted} for -${name}: ${error.message}`
      : `invalid value ${quoted} for flag -${name}: ${error.message}`;
  }
  return { name, tookNext: attached === undefined && !flag.isBoolean };
}

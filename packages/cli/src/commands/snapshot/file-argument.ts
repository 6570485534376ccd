import { CommandFailure } from '../../framework/command.ts';

/** The one FILE. */
export function fileArgument(args: readonly string[]): string {
  const [file] = args;
  if (file === undefined) throw new CommandFailure('Missing FILE argument');
  if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
  return file;
}

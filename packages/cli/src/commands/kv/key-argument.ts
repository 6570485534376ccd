import { CommandFailure } from '../../framework/command.ts';

/** The one optional KEY or PREFIX; a leading slash is dropped, since no key starts with one by habit. */
export function keyArgument(args: readonly string[]): string {
  if (args.length > 1) throw new CommandFailure(`Too many arguments (expected 1, got ${args.length})`);
  return (args[0] ?? '').replace(/^\//, '');
}

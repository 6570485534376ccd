import type { Command } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { type Io, print, printError } from './io.ts';
import { type CommandTable, childrenOf, findCommand } from './table.ts';

const HELP_FLAGS = new Set(['-h', '-help', '--help']);
const VERSION_FLAGS = new Set(['-v', '-version', '--version']);

/** What to do with a command line. `command` is to be run with `args`. */
export type Dispatch =
  | { readonly kind: 'run'; readonly command: Command; readonly args: readonly string[] }
  | { readonly kind: 'done'; readonly exitCode: number };

/**
 * Finds the command, or answers itself: help wherever a help flag stands before `--`, the listing and 127 for an unknown
 * command, a group's help and 1 for a group. Rules observed on Consul 1.21.
 */
export async function dispatch(table: CommandTable, argv: readonly string[], io: Io): Promise<Dispatch> {
  const beforeDashes = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const wantsHelp = beforeDashes.some((argument) => HELP_FLAGS.has(argument));
  const first = argv[0] ?? '';
  if (VERSION_FLAGS.has(first)) return dispatch(table, ['version'], io);
  const words = argv.filter((argument) => !HELP_FLAGS.has(argument));
  const match = findCommand(table, wantsHelp && HELP_FLAGS.has(first) ? words : argv);
  if (match === undefined) {
    const listing = formatListing(table, io.program);
    if (wantsHelp && (words[0] ?? '').trim() === '') {
      print(io, listing);
      return { kind: 'done', exitCode: EXIT.ok };
    }
    if (first.startsWith('-'))
      printError(
        io,
        'Invalid flags before the subcommand. If these flags are for\nthe subcommand, please put them after the subcommand.\n',
      );
    printError(io, listing);
    return { kind: 'done', exitCode: first.startsWith('-') ? EXIT.failure : EXIT.unknownCommand };
  }
  const { command } = await match.entry.load();
  const children = childrenOf(table, match.name);
  if (wantsHelp || children.length > 0) {
    const help = command.help(io.program) + (children.length > 0 ? `\n\n${formatChildren('Subcommands:', children)}` : '');
    // `connect envoy` runs by itself though it has a subcommand; a group's `isGroup` says that it does not.
    if (wantsHelp) {
      print(io, help);
      return { kind: 'done', exitCode: EXIT.ok };
    }
    if (command.isGroup) {
      printError(io, help);
      return { kind: 'done', exitCode: EXIT.failure };
    }
  }
  return { kind: 'run', command, args: match.args };
}

/** Usage and every command, for people and for those who mistyped. */
export function formatListing(table: CommandTable, program: string): string {
  return `Usage: ${program} [--version] [--help] <command> [<args>]\n\n${formatChildren('Available commands are:', childrenOf(table, ''))}`;
}

function formatChildren(title: string, children: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...children.map(([name]) => name.length));
  return [title, ...children.map(([name, synopsis]) => `    ${name.padEnd(width)}    ${synopsis}`)].join('\n');
}

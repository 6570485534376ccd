import { type CommandTable, childrenOf, findCommand } from '../framework/table.ts';

const SPACES = /\s+/;

/**
 * What may stand where the line ends: subcommands, or flags once a dash is typed. `line` is the shell's COMP_LINE, the
 * program's name first.
 */
export async function candidates(table: CommandTable, line: string): Promise<readonly string[]> {
  const words = line.trimStart().split(SPACES);
  const last = words.at(-1) ?? '';
  const before = words.slice(1, -1);
  const match = findCommand(table, before);
  if (last.startsWith('-')) {
    if (match === undefined) return matching(['-help', '-version'], last);
    const { command } = await match.entry.load();
    return matching(
      (command.flagNames ?? []).map((name) => `-${name}`),
      last,
    );
  }
  const parent = match?.name ?? '';
  const isAtName = parent.split(' ').filter((word) => word !== '').length === before.length;
  return isAtName
    ? matching(
        childrenOf(table, parent).map(([name]) => name),
        last,
      )
    : [];
}

function matching(words: readonly string[], prefix: string): readonly string[] {
  return words.filter((word) => word.startsWith(prefix)).sort();
}

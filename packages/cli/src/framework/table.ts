/** What `load` gives: the file of one subcommand. */
interface CommandModule {
  readonly command: import('./command.ts').Command;
}

export interface TableEntry {
  /** For listings, so that help need not load every command. */
  readonly synopsis: string;
  readonly load: () => Promise<CommandModule>;
}

/** Subcommands by their full name (`kv put`); groups (`kv`) are entries too. */
export type CommandTable = Readonly<Record<string, TableEntry>>;

export interface Match {
  readonly name: string;
  readonly entry: TableEntry;
  readonly args: readonly string[];
}

/** The longest name that `argv` starts with. */
export function findCommand(table: CommandTable, argv: readonly string[]): Match | undefined {
  const words: string[] = [];
  for (const word of argv) {
    if (word === '' || word.startsWith('-') || word.includes(' ')) break;
    words.push(word);
  }
  for (let length = words.length; length > 0; length--) {
    const name = words.slice(0, length).join(' ');
    const entry = Object.hasOwn(table, name) ? table[name] : undefined;
    if (entry !== undefined) return { name, entry, args: argv.slice(length) };
  }
  return undefined;
}

/** The entries directly under `parent` (empty for the top), sorted: `[word, synopsis]`. */
export function childrenOf(table: CommandTable, parent: string): readonly (readonly [string, string])[] {
  const prefix = parent === '' ? '' : `${parent} `;
  return Object.entries(table)
    .filter(([name]) => name.startsWith(prefix) && name.length > prefix.length && !name.slice(prefix.length).includes(' '))
    .map(([name, entry]) => [name.slice(prefix.length), entry.synopsis] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

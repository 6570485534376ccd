export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Lines for the shell's start file. Completion itself is the program's: shells call it with the line in COMP_LINE. */
export function completionScript(shell: Shell, program: string, executable: string): string {
  const quoted = `'${executable.replaceAll("'", String.raw`'\''`)}'`;
  switch (shell) {
    case 'bash':
      return `complete -C ${quoted} ${program}`;
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\ncomplete -o nospace -C ${quoted} ${program}`;
    case 'fish':
      return [
        `function __complete_${program.replaceAll(/\W/g, '_')}`,
        '    set -lx COMP_LINE (commandline -cp)',
        '    test -z (commandline -ct)',
        '    and set COMP_LINE "$COMP_LINE "',
        `    ${quoted}`,
        'end',
        `complete -f -c ${program} -a "(__complete_${program.replaceAll(/\W/g, '_')})"`,
      ].join('\n');
  }
}

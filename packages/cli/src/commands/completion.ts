import { completionScript, SHELLS } from '../completion/scripts.ts';
import { CommandFailure, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { print } from '../framework/io.ts';

export const command = defineCommand({
  synopsis: 'Prints a shell completion script',
  usage: `
Usage: {program} completion bash|zsh|fish

  Prints what makes the shell complete this program's commands and flags. Or let
  "{program} -autocomplete-install" write it to your shell's start file.

      $ source <({program} completion bash)
`,
  flags: {},
  run: async ({ args, io, help }) => {
    const [name] = args;
    const shell = SHELLS.find((candidate) => candidate === name);
    if (shell === undefined || args.length !== 1) throw new CommandFailure(`A shell must be named: ${SHELLS.join(', ')}\n\n${help}`);
    print(io, completionScript(shell, io.program, io.executable ?? io.program));
    return EXIT.ok;
  },
});

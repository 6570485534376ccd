import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { print } from '../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Provides debugging information for operators',
  usage: `
Usage: {program} info [options]

  Prints the agent's inner figures, grouped by part.
`,
  flags: {},
  run: async ({ io, client }) => {
    const { Stats } = await failing('Error querying agent', () => client().agent.self());
    if (typeof Stats !== 'object' || Stats === null) throw new CommandFailure("Agent response did not contain 'Stats' key");
    for (const group of Object.keys(Stats).sort()) {
      print(io, `${group}:`);
      const figures = Stats[group] ?? {};
      for (const name of Object.keys(figures).sort()) print(io, `\t${name} = ${figures[name]}`);
    }
    return EXIT.ok;
  },
});

import { defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { print } from '../framework/io.ts';

export const command = defineApiCommand({
  synopsis: 'Triggers the agent to reload configuration files',
  usage: `
Usage: {program} reload [options]

  Makes the agent read its configuration files again, as SIGHUP does.
`,
  flags: {},
  run: async ({ io, client }) => {
    await failing('Error reloading', () => client().agent.reload());
    print(io, 'Configuration reload triggered');
    return EXIT.ok;
  },
});

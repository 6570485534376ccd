import { ConfigError, loadConfig, NOTHING_REQUESTED, systemLoadEnvironment } from '@lictor/client-agent';
import { CommandFailure, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { booleanFlag, stringFlag } from '../framework/flag-types.ts';
import { print, printError } from '../framework/io.ts';

export const command = defineCommand({
  synopsis: 'Validate config files and directories',
  usage: `
Usage: {program} validate [options] FILE_OR_DIRECTORY...

  Reads configuration exactly as the agent does and says what is wrong with it.
  Give everything that the agent is given: a part alone may not be valid.
`,
  flags: {
    'config-format': stringFlag("Read every file as 'hcl' or 'json', whatever its name ends in.", '', 'format'),
    quiet: booleanFlag('Print nothing when all is well.'),
  },
  run: async ({ flags, args, io }) => {
    const configFormat = flags['config-format'];
    if (args.length === 0) throw new CommandFailure('Must specify at least one config file or directory');
    if (configFormat !== '' && configFormat !== 'json' && configFormat !== 'hcl') {
      throw new CommandFailure("-config-format must be either 'hcl' or 'json");
    }
    const warnings = load(args, configFormat);
    if (flags.quiet) return EXIT.ok;
    for (const warning of warnings) printError(io, warning);
    print(io, 'Configuration is valid!');
    return EXIT.ok;
  },
});

function load(configPaths: readonly string[], configFormat: string): readonly string[] {
  try {
    return loadConfig({ ...NOTHING_REQUESTED, configPaths, configFormat }, systemLoadEnvironment).warnings;
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(`Config validation failed: ${error.message}`);
    throw error;
  }
}

import { ConfigError, loadConfig, NOTHING_REQUESTED, systemLoadEnvironment } from '@lictor/client-agent';
import type { ServiceDefinition } from '@lictor/protocol';
import { CommandFailure } from '../../framework/command.ts';
import { type Io, printError } from '../../framework/io.ts';

/** The services of configuration files, read as the agent reads them. @throws CommandFailure */
export function servicesFromFiles(paths: readonly string[], io: Io): readonly ServiceDefinition[] {
  try {
    // Dev mode only for defaults that are valid by themselves: nothing but the services is looked at.
    const { services, warnings } = loadConfig({ ...NOTHING_REQUESTED, isDevMode: true, configPaths: paths }, systemLoadEnvironment);
    for (const warning of warnings) printError(io, warning);
    return services;
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(`Error: ${error.message}`);
    throw error;
  }
}

import { parseConfigEntry } from '@lictor/mesh';
import { type ConfigEntry, LictorError, type Logger } from '@lictor/protocol';
import { CONFIG_ENTRY_APPLY, type ConfigEntryApplyBody } from '../fsm/commands/config-entry.ts';
import { readConfigEntry } from '../fsm/config-entries/write.ts';
import type { StateReader } from '../state/types.ts';

export interface BootstrapPorts {
  readonly logger: Logger;
  reader(): StateReader;
  propose(type: string, body: unknown): Promise<unknown>;
}

/**
 * Writes the entries of the configuration's `config_entries.bootstrap` that do not exist yet (consul-facts K067): what an operator
 * has changed or written since is never overwritten. Run when leadership is gained; a rejection means that it has to be run again.
 * @throws LictorError for an entry that is invalid or that the state refuses
 */
export async function bootstrapConfigEntries(entries: readonly Readonly<Record<string, unknown>>[], ports: BootstrapPorts): Promise<void> {
  for (const entry of entries.map(parseBootstrapEntry)) {
    if (readConfigEntry(ports.reader(), entry.Kind, entry.Name) !== undefined) continue;
    const body: ConfigEntryApplyBody = { entry, cas: 0 };
    await ports.propose(CONFIG_ENTRY_APPLY, body);
    ports.logger.info('Bootstrapped config entry', { kind: entry.Kind, name: entry.Name });
  }
}

function parseBootstrapEntry(entry: Readonly<Record<string, unknown>>, position: number): ConfigEntry {
  try {
    return parseConfigEntry(entry);
  } catch (thrown) {
    const error = LictorError.from(thrown);
    throw new LictorError(error.code, `config_entries.bootstrap[${position}]: ${error.message}`, { cause: thrown });
  }
}

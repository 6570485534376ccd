import type { CaConfiguration, CaRoot } from '@lictor/protocol';
import { CA_CONFIG_KEY, caConfigTable, caRootsTable } from '../state/tables/connect-ca.ts';
import type { StateReader } from '../state/types.ts';

export function readCaConfig(reader: StateReader): CaConfiguration | undefined {
  return reader.get(caConfigTable, CA_CONFIG_KEY);
}

export function readCaRoots(reader: StateReader): readonly CaRoot[] {
  return [...reader.scan(caRootsTable)];
}

export function readActiveRoot(reader: StateReader): CaRoot | undefined {
  return readCaRoots(reader).find((root) => root.Active);
}

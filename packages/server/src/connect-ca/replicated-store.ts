import { Secret } from '@lictor/protocol';
import type { BuiltinCaRecord, BuiltinCaStore } from '@lictor/pki';
import {
  CA_DELETE_PROVIDER_RECORD,
  CA_NEXT_SERIAL,
  CA_SET_PROVIDER_RECORD,
  type ProviderRecordBody,
  type ProviderRecordId,
} from '../fsm/commands/connect-ca.ts';
import { caProviderTable } from '../state/tables/connect-ca.ts';
import type { ConnectCaPorts } from './ports.ts';

/** The built-in provider's store in the replicated state. The key is plain text there only: in the log, the table and snapshots. */
export function createReplicatedCaStore(ports: Pick<ConnectCaPorts, 'reader' | 'propose'>): BuiltinCaStore {
  return {
    load: (id): BuiltinCaRecord | undefined => {
      const row = ports.reader().peek(caProviderTable, id);
      return row === undefined ? undefined : { id, privateKey: new Secret(row.PrivateKey), rootCert: row.RootCert };
    },
    save: async ({ id, privateKey, rootCert }) => {
      const body: ProviderRecordBody = { id, privateKey: privateKey.reveal(), rootCert };
      await ports.propose(CA_SET_PROVIDER_RECORD, body);
    },
    remove: async (id) => {
      const body: ProviderRecordId = { id };
      await ports.propose(CA_DELETE_PROVIDER_RECORD, body);
    },
    nextSerial: async () => (await ports.propose<number>(CA_NEXT_SERIAL, {})).result,
  };
}

import type { CaConfiguration, CaRoot, RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';

/** Root certificates by id, the active one and those that leaves may still need. */
export const caRootsTable: Table<CaRoot> = { name: 'connect-ca-roots', key: (row) => row.ID, indexes: {} };

/** The one configuration of the CA. */
export const caConfigTable: Table<CaConfiguration> = { name: 'connect-ca-config', key: () => CA_CONFIG_KEY, indexes: {} };
export const CA_CONFIG_KEY = 'config';

/**
 * What the built-in provider keeps, by digest of its configuration. It holds the CA's private key (consul-facts P030): no endpoint reads
 * this table, and snapshots of the state carry it.
 */
export interface CaProviderRecord extends RaftIndex {
  readonly ID: string;
  readonly PrivateKey: string;
  readonly RootCert: string;
}

export const caProviderTable: Table<CaProviderRecord> = { name: 'connect-ca-builtin', key: (row) => row.ID, indexes: {} };

/** Counters of the CA, by name. */
export interface CaCounter extends RaftIndex {
  readonly Name: string;
  readonly Value: number;
}

export const caCountersTable: Table<CaCounter> = { name: 'connect-ca-counters', key: (row) => row.Name, indexes: {} };

/** The last serial number given to a certificate. */
export const SERIAL_COUNTER = 'serial';
/** How many leaves were issued; its ModifyIndex is the last leaf's index. */
export const LEAVES_COUNTER = 'leaves';

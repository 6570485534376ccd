import type { RaftIndex } from '@lictor/protocol';
import type { Table } from '../types.ts';
import { foldName } from './keys.ts';

/** The virtual IP of a mesh service, as an offset from 240.0.0.0 (consul-facts E024). */
export interface VirtualIpRow extends RaftIndex {
  readonly Service: string;
  readonly Offset: number;
  /** Assigned by an operator (consul-facts H151), in order; no address belongs to two services. */
  readonly ManualIps?: readonly string[];
}

export const virtualIpsTable: Table<VirtualIpRow> = {
  name: 'virtual-ips',
  key: (row) => foldName(row.Service),
  indexes: { manual: (row) => row.ManualIps ?? [] },
};

/** What was given back and may be given out again, beside one row with the highest offset ever given out. */
export interface FreeVirtualIpRow extends RaftIndex {
  readonly Offset: number;
  readonly IsCounter: boolean;
}

const OFFSET_DIGITS = 10;
export const VIRTUAL_IP_COUNTER_KEY = 'counter';
export const FREE_VIRTUAL_IP_PREFIX = 'free:';

export const freeVirtualIpsTable: Table<FreeVirtualIpRow> = {
  name: 'free-virtual-ips',
  key: (row) => (row.IsCounter ? VIRTUAL_IP_COUNTER_KEY : FREE_VIRTUAL_IP_PREFIX + String(row.Offset).padStart(OFFSET_DIGITS, '0')),
  indexes: {},
};

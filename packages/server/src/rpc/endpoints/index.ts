import type { ReadMethod } from '@lictor/protocol';
import type { EndpointTable } from '../types.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { configEntryReads, configEntryWrites } from './config-entry.ts';
import { type CaDuties, createConnectCaReads, createConnectCaWrites } from './connect-ca.ts';
import { type CoordinateSink, createCoordinateReads, createCoordinateWrites } from './coordinate.ts';
import { healthReads } from './health.ts';
import { createIntentionReads, intentionWrites } from './intention.ts';
import { kvReads, kvWrites } from './kv.ts';
import { createSessionWrites, sessionReads, type SessionTimers } from './session.ts';
import { txnReads, txnWrites } from './txn.ts';

/** The parts of a running server that endpoints speak to beside the state and the log. */
export interface EndpointServices {
  readonly serverName: string;
  readonly sessionTimers: SessionTimers;
  readonly sessionTtlMinMs: number;
  readonly coordinates: CoordinateSink;
  readonly defaultIntentionPolicy: 'allow' | 'deny';
  /** Null when `connect.enabled` is false. */
  readonly connectCa: CaDuties | null;
}

/** Reads of a row or two: remembering their answers would cost more than giving them. */
const DIRECT: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  'KVS.Get',
  'Session.Get',
  'Txn.Read',
  'ConfigEntry.Get',
  'Catalog.ListDatacenters',
]);

/** The endpoints of every group. */
export function createEndpoints(services: EndpointServices): EndpointTable {
  return {
    reads: {
      ...catalogReads,
      ...healthReads,
      ...createCoordinateReads(services.serverName),
      ...configEntryReads,
      ...createConnectCaReads(services.connectCa !== null),
      ...createIntentionReads(services.defaultIntentionPolicy),
      ...kvReads,
      ...sessionReads,
      ...txnReads,
    },
    direct: DIRECT,
    live: {},
    writes: {
      ...catalogWrites,
      ...createCoordinateWrites(services.coordinates),
      ...configEntryWrites,
      ...createConnectCaWrites(services.connectCa),
      ...intentionWrites,
      ...kvWrites,
      ...createSessionWrites(services.sessionTimers, services.sessionTtlMinMs),
      ...txnWrites,
    },
  };
}

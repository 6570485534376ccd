import type { ReadMethod } from '@lictor/protocol';
import type { EndpointTable } from '../types.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { catalogAddressReads, catalogAddressWrites } from './catalog-address.ts';
import { configEntryReads, configEntryWrites } from './config-entry.ts';
import { type CaDuties, createConnectCaReads, createConnectCaWrites } from './connect-ca.ts';
import { type CoordinateSink, createCoordinateReads, createCoordinateWrites } from './coordinate.ts';
import { healthReads } from './health.ts';
import { createIntentionReads, intentionWrites } from './intention.ts';
import { kvReads, kvWrites } from './kv.ts';
import { createOperatorLive, operatorReads } from './operator.ts';
import { createSessionWrites, sessionReads, type SessionTimers } from './session.ts';
import { createSnapshotLive, createSnapshotWrites, type SnapshotServices } from './snapshot.ts';
import { createStatusLive } from './status.ts';
import { txnReads, txnWrites } from './txn.ts';

/** The parts of a running server that endpoints speak to beside the state and the log. */
export interface EndpointServices extends SnapshotServices {
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
  'Catalog.VirtualIp',
  'Catalog.AddressOwner',
]);

/** Answered to anybody, by any server, whether or not there is a leader (observed: also to an unknown token). */
const OPEN: ReadonlySet<ReadMethod> = new Set<ReadMethod>(['Status.Leader', 'Status.Peers']);

/** The endpoints of every group. */
export function createEndpoints(services: EndpointServices): EndpointTable {
  return {
    reads: {
      ...catalogReads,
      ...catalogAddressReads,
      ...healthReads,
      ...createCoordinateReads(services.serverName),
      ...configEntryReads,
      ...createConnectCaReads(services.connectCa !== null),
      ...createIntentionReads(services.defaultIntentionPolicy),
      ...kvReads,
      ...operatorReads,
      ...sessionReads,
      ...txnReads,
    },
    direct: DIRECT,
    live: { ...createOperatorLive(services.consensus), ...createSnapshotLive(services), ...createStatusLive(services.consensus) },
    open: OPEN,
    writes: {
      ...catalogWrites,
      ...catalogAddressWrites,
      ...createCoordinateWrites(services.coordinates),
      ...configEntryWrites,
      ...createConnectCaWrites(services.connectCa),
      ...intentionWrites,
      ...kvWrites,
      ...createSessionWrites(services.sessionTimers, services.sessionTtlMinMs),
      ...createSnapshotWrites(services),
      ...txnWrites,
    },
  };
}

import type { ReadMethod } from '@lictor/protocol';
import type { Autopilot } from '../../autopilot/index.ts';
import type { EndpointTable } from '../types.ts';
import { type AutoEncryptServices, createAutoEncryptWrites } from './auto-encrypt.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { catalogAddressReads, catalogAddressWrites } from './catalog-address.ts';
import { configEntryReads, configEntryWrites } from './config-entry.ts';
import { type CaDuties, createConnectCaReads, createConnectCaWrites } from './connect-ca.ts';
import { type CoordinateSink, coordinateReads, createCoordinateWrites } from './coordinate.ts';
import { createDatacentersLive } from './datacenters.ts';
import { createEventLive, type FireEvent } from './event.ts';
import { healthReads } from './health.ts';
import { createIntentionReads, intentionWrites } from './intention.ts';
import { kvReads, kvWrites } from './kv.ts';
import { operatorReads } from './operator.ts';
import { createOperatorAutopilotLive, operatorAutopilotReads, operatorAutopilotWrites } from './operator-autopilot.ts';
import { createOperatorKeyringLive, type GossipKeyrings } from './operator-keyring.ts';
import { createOperatorRaftLive, createOperatorRaftWrites } from './operator-raft.ts';
import { preparedQueryReads, preparedQueryWrites } from './prepared-query.ts';
import { createPreparedQueryLive, type PreparedQueryServices } from './prepared-query-execute.ts';
import { createSessionWrites, sessionReads, type SessionTimers } from './session.ts';
import { createSnapshotLive, createSnapshotWrites, type SnapshotServices } from './snapshot.ts';
import { createStatusLive } from './status.ts';
import { txnReads, txnWrites } from './txn.ts';

/** The parts of a running server that endpoints speak to beside the state and the log. */
export interface EndpointServices extends SnapshotServices, PreparedQueryServices {
  readonly keyrings: GossipKeyrings;
  /** Undefined: there is no gossip. */
  readonly fireEvent: FireEvent | undefined;
  readonly sessionTimers: SessionTimers;
  readonly sessionTtlMinMs: number;
  readonly coordinates: CoordinateSink;
  readonly defaultIntentionPolicy: 'allow' | 'deny';
  /** Null when `connect.enabled` is false. */
  readonly connectCa: CaDuties | null;
  readonly autoEncrypt: AutoEncryptServices;
  readonly autopilot: Autopilot;
}

/** Reads of a row or two: remembering their answers would cost more than giving them. */
const DIRECT: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  'KVS.Get',
  'Session.Get',
  'Txn.Read',
  'ConfigEntry.Get',
  'Catalog.VirtualIp',
  'Catalog.AddressOwner',
  'Operator.AutopilotGetConfiguration',
]);

/** Answered to anybody, by any server, whether or not there is a leader (observed: also to an unknown token). */
const OPEN: ReadonlySet<ReadMethod> = new Set<ReadMethod>([
  'Catalog.ListDatacenters',
  'Coordinate.ListDatacenters',
  'Status.Leader',
  'Status.Peers',
  'Status.RaftStats',
]);

/** The endpoints of every group. */
export function createEndpoints(services: EndpointServices): EndpointTable {
  const { autopilot, consensus } = services;
  return {
    reads: {
      ...catalogReads,
      ...catalogAddressReads,
      ...healthReads,
      ...coordinateReads,
      ...configEntryReads,
      ...createConnectCaReads(services.connectCa !== null),
      ...createIntentionReads(services.defaultIntentionPolicy),
      ...kvReads,
      ...operatorAutopilotReads,
      ...operatorReads,
      ...preparedQueryReads,
      ...sessionReads,
      ...txnReads,
    },
    direct: DIRECT,
    live: {
      ...createDatacentersLive(services.datacenters),
      ...createEventLive(services.fireEvent),
      ...createOperatorAutopilotLive(autopilot),
      ...createOperatorKeyringLive(services.keyrings),
      ...createOperatorRaftLive(consensus, autopilot),
      ...createPreparedQueryLive(services),
      ...createSnapshotLive(services),
      ...createStatusLive(consensus),
    },
    open: OPEN,
    writes: {
      ...catalogWrites,
      ...catalogAddressWrites,
      ...createCoordinateWrites(services.coordinates),
      ...configEntryWrites,
      ...createConnectCaWrites(services.connectCa),
      ...createAutoEncryptWrites(services.connectCa, services.autoEncrypt),
      ...intentionWrites,
      ...kvWrites,
      ...operatorAutopilotWrites,
      ...createOperatorRaftWrites(consensus, autopilot),
      ...preparedQueryWrites,
      ...createSessionWrites(services.sessionTimers, services.sessionTtlMinMs),
      ...createSnapshotWrites(services),
      ...txnWrites,
    },
  };
}

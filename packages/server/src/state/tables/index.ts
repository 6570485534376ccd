import type { Table } from '../types.ts';
import { autopilotTable } from './autopilot.ts';
import { checkGroupsTable, checksTable } from './checks.ts';
import { configEntriesTable } from './config-entries.ts';
import { caConfigTable, caCountersTable, caProviderTable, caRootsTable } from './connect-ca.ts';
import { coordinatesTable } from './coordinates.ts';
import { kvTable } from './kv.ts';
import { lockDelaysTable } from './lock-delays.ts';
import { nodesTable } from './nodes.ts';
import { preparedQueriesTable } from './prepared-queries.ts';
import { restoreChunksTable } from './restore-chunks.ts';
import { servicesTable } from './services.ts';
import { sessionsTable } from './sessions.ts';
import { systemMetadataTable } from './system.ts';
import { freeVirtualIpsTable, virtualIpsTable } from './virtual-ips.ts';

/** Every table of the state: what a snapshot can hold. */
export const ALL_TABLES: readonly Table<never>[] = [
  autopilotTable,
  caConfigTable,
  caCountersTable,
  caProviderTable,
  caRootsTable,
  checkGroupsTable,
  checksTable,
  configEntriesTable,
  coordinatesTable,
  freeVirtualIpsTable,
  kvTable,
  lockDelaysTable,
  nodesTable,
  preparedQueriesTable,
  restoreChunksTable,
  servicesTable,
  sessionsTable,
  systemMetadataTable,
  virtualIpsTable,
];

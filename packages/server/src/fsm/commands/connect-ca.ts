import type { CaConfiguration, CaRoot } from '@lictor/protocol';
import {
  CA_CONFIG_KEY,
  caConfigTable,
  caCountersTable,
  caProviderTable,
  caRootsTable,
  LEAVES_COUNTER,
  SERIAL_COUNTER,
} from '../../state/tables/connect-ca.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { total } from '../catalog/total.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export const CA_SET_CONFIG = 'connect-ca.set-config';
export const CA_SET_ROOTS = 'connect-ca.set-roots';
export const CA_SET_ROOTS_AND_CONFIG = 'connect-ca.set-roots-and-config';
export const CA_SET_PROVIDER_RECORD = 'connect-ca.set-provider-record';
export const CA_DELETE_PROVIDER_RECORD = 'connect-ca.delete-provider-record';
export const CA_NEXT_SERIAL = 'connect-ca.next-serial';
export const CA_LEAF_ISSUED = 'connect-ca.leaf-issued';

export type CaRootFields = Omit<CaRoot, 'CreateIndex' | 'ModifyIndex'>;
export type CaConfigFields = Omit<CaConfiguration, 'CreateIndex' | 'ModifyIndex'>;

/** `configIndex` and `rootsIndex` are what the proposer saw; 0 when there was nothing. Another index means that it decided on old facts. */
export interface SetConfigBody {
  readonly config: CaConfigFields;
  readonly configIndex: number;
}
export interface SetRootsBody {
  readonly roots: readonly CaRootFields[];
  readonly rootsIndex: number;
}
export interface SetRootsAndConfigBody extends SetConfigBody, SetRootsBody {}
export interface ProviderRecordBody {
  readonly id: string;
  readonly privateKey: string;
  readonly rootCert: string;
}
export interface ProviderRecordId {
  readonly id: string;
}

export const connectCaCommands = {
  [CA_SET_CONFIG]: total(CA_SET_CONFIG, isSetConfig, (txn, body) => putConfig(txn, body)),
  [CA_SET_ROOTS]: total(CA_SET_ROOTS, isSetRoots, (txn, body) => putRoots(txn, body)),
  [CA_SET_ROOTS_AND_CONFIG]: total(
    CA_SET_ROOTS_AND_CONFIG,
    isSetRootsAndConfig,
    (txn, body) => putRoots(txn, body) ?? putConfig(txn, body),
  ),
  [CA_SET_PROVIDER_RECORD]: total(CA_SET_PROVIDER_RECORD, isProviderRecord, putProviderRecord),
  [CA_DELETE_PROVIDER_RECORD]: total(CA_DELETE_PROVIDER_RECORD, isProviderRecordId, (txn, { id }) => txn.remove(caProviderTable, id)),
  [CA_NEXT_SERIAL]: nextSerial,
  [CA_LEAF_ISSUED]: leafIssued,
} satisfies CommandHandlers;

/** What `rootsIndex` is compared with: every change of roots writes all of them. */
export function caRootsIndex(reader: StateReader): number {
  let index = 0;
  for (const root of reader.scan(caRootsTable)) index = Math.max(index, root.ModifyIndex);
  return index;
}

const RACED = 'could not atomically update roots and config';

function putConfig(txn: StateTxn, { config, configIndex }: SetConfigBody): CommandFailure | undefined {
  const existing = txn.peek(caConfigTable, CA_CONFIG_KEY);
  if ((existing?.ModifyIndex ?? 0) !== configIndex) return new CommandFailure('rejected', RACED);
  // The trust domain hangs on it: it is set once and never changes.
  const clusterId = existing?.ClusterID ?? config.ClusterID;
  txn.put(caConfigTable, { ...config, ClusterID: clusterId, CreateIndex: 0, ModifyIndex: 0 });
  return undefined;
}

function putRoots(txn: StateTxn, { roots, rootsIndex }: SetRootsBody): CommandFailure | undefined {
  if (roots.some((root) => root.ID === '')) return new CommandFailure('rejected', 'Missing CA root ID');
  if (roots.filter((root) => root.Active).length !== 1) return new CommandFailure('rejected', 'there must be exactly one active CA');
  if (caRootsIndex(txn) !== rootsIndex) return new CommandFailure('rejected', RACED);
  const kept = new Set(roots.map((root) => root.ID));
  const dropped = [...txn.scan(caRootsTable)].filter((root) => !kept.has(root.ID));
  for (const root of dropped) txn.remove(caRootsTable, root.ID);
  for (const root of roots) txn.put(caRootsTable, { ...root, CreateIndex: 0, ModifyIndex: 0 });
  return undefined;
}

function putProviderRecord(txn: StateTxn, { id, privateKey, rootCert }: ProviderRecordBody): void {
  txn.put(caProviderTable, { ID: id, PrivateKey: privateKey, RootCert: rootCert, CreateIndex: 0, ModifyIndex: 0 });
}

/** Starts at the log index, which is beyond every serial given before the counter was there (Consul's used to be log indexes, too). */
function nextSerial(txn: StateTxn): number {
  const last = txn.peek(caCountersTable, SERIAL_COUNTER)?.Value ?? txn.index - 1;
  return txn.put(caCountersTable, { Name: SERIAL_COUNTER, Value: last + 1, CreateIndex: 0, ModifyIndex: 0 }).Value;
}

function leafIssued(txn: StateTxn): number {
  const count = txn.peek(caCountersTable, LEAVES_COUNTER)?.Value ?? 0;
  return txn.put(caCountersTable, { Name: LEAVES_COUNTER, Value: count + 1, CreateIndex: 0, ModifyIndex: 0 }).Value;
}

function isSetConfig(value: unknown): value is SetConfigBody {
  return isObject(value) && isConfig(value.config) && isIndex(value.configIndex);
}

function isSetRoots(value: unknown): value is SetRootsBody {
  return isObject(value) && Array.isArray(value.roots) && value.roots.every(isRoot) && isIndex(value.rootsIndex);
}

function isSetRootsAndConfig(value: unknown): value is SetRootsAndConfigBody {
  return isSetConfig(value) && isSetRoots(value);
}

function isProviderRecord(value: unknown): value is ProviderRecordBody {
  return isProviderRecordId(value) && isObject(value) && typeof value.privateKey === 'string' && typeof value.rootCert === 'string';
}

function isProviderRecordId(value: unknown): value is ProviderRecordId {
  return isObject(value) && typeof value.id === 'string' && value.id !== '';
}

function isConfig(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { Provider, Config, State, ForceWithoutCrossSigning, ClusterID } = value;
  const hasState = State === null || (isObject(State) && Object.values(State).every((item) => typeof item === 'string'));
  return (
    [Provider, ClusterID].every((item) => typeof item === 'string') &&
    isObject(Config) &&
    hasState &&
    typeof ForceWithoutCrossSigning === 'boolean'
  );
}

function isRoot(value: unknown): boolean {
  if (!isObject(value)) return false;
  const texts = [
    value.ID,
    value.Name,
    value.SigningKeyID,
    value.ExternalTrustDomain,
    value.NotBefore,
    value.NotAfter,
    value.RootCert,
    value.PrivateKeyType,
  ];
  const numbers = [value.SerialNumber, value.PrivateKeyBits];
  const { IntermediateCerts: certs } = value;
  const hasCerts = certs === null || (Array.isArray(certs) && certs.every((item) => typeof item === 'string'));
  return (
    texts.every((item) => typeof item === 'string') &&
    numbers.every((item) => typeof item === 'number') &&
    typeof value.Active === 'boolean' &&
    hasCerts &&
    (value.RotatedOutAt === undefined || typeof value.RotatedOutAt === 'string')
  );
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

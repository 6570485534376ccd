import { isReadableConfigEntry } from '@lictor/mesh';
import { type ConfigEntry, connectProxyConfig, DecodeError, decode } from '@lictor/protocol';

/**
 * What a row of a snapshot must hold before it becomes state: every reader and every leader duty takes it for granted, and a state
 * that makes them throw would be kept by every restart. An archive's checksums say that it is whole, not who made it.
 *
 * Only what tells the types of fields apart, and never a rule about their content: a rule that grows stricter must not keep a
 * server from starting with what it stored before.
 */
type Test = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Test>>;

const text: Test = (value) => typeof value === 'string';
const flag: Test = (value) => typeof value === 'boolean';
const count: Test = (value) => typeof value === 'number' && Number.isFinite(value);
const bytes: Test = (value) => value instanceof Uint8Array;
const flags: Test = (value) => typeof value === 'bigint' || (Number.isSafeInteger(value) && Number(value) >= 0);
const map: Test = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test);
const mapOf =
  (test: Test): Test =>
  (value) =>
    map(value) && Object.values(value as object).every(test);
const maybe =
  (test: Test): Test =>
  (value) =>
    value === null || value === undefined || test(value);
const shape =
  (fields: Shape): Test =>
  (value) =>
    map(value) && Object.entries(fields).every(([name, test]) => test((value as Record<string, unknown>)[name]));

/** Lacking fields are a version's before them; a field of another type is nobody's. */
const proxy: Test = (value) => {
  try {
    decode(connectProxyConfig, value);
    return map(value) && text((value as Record<string, unknown>)['DestinationServiceName']);
  } catch (thrown) {
    if (thrown instanceof DecodeError) return false;
    throw thrown;
  }
};

const ROWS: Readonly<Record<string, Test>> = {
  autopilot: shape({
    CleanupDeadServers: flag,
    LastContactThreshold: count,
    MaxTrailingLogs: count,
    MinQuorum: count,
    ServerStabilizationTime: count,
    RedundancyZoneTag: text,
    DisableUpgradeMigration: flag,
    UpgradeVersionTag: text,
  }),
  nodes: shape({ ID: text, Node: text, Address: text, Datacenter: text, TaggedAddresses: maybe(mapOf(text)), Meta: maybe(mapOf(text)) }),
  services: shape({
    Node: text,
    ID: text,
    Service: text,
    Kind: text,
    Address: text,
    Port: count,
    Tags: listOf(text),
    Meta: maybe(mapOf(text)),
    TaggedAddresses: maybe(mapOf(shape({ Address: text, Port: count }))),
    Weights: shape({ Passing: count, Warning: count }),
    Connect: shape({ Native: flag }),
    Proxy: proxy,
    Ports: maybe(listOf(shape({ Name: text, Port: count }))),
  }),
  checks: shape({
    Node: text,
    CheckID: text,
    Name: text,
    Status: text,
    Output: text,
    ServiceID: text,
    ServiceName: text,
    ServiceTags: listOf(text),
    Definition: map,
  }),
  'check-groups': shape({ Node: text, ServiceID: text, CheckIDs: listOf(text) }),
  kv: shape({ Key: text, Value: bytes, Flags: flags, Session: text, LockIndex: count }),
  sessions: shape({
    ID: text,
    Name: text,
    Node: text,
    LockDelay: count,
    Behavior: text,
    TTL: text,
    NodeChecks: listOf(text),
    ServiceChecks: listOf(shape({ ID: text })),
  }),
  'prepared-queries': shape({
    ID: text,
    Name: text,
    Session: text,
    Token: text,
    Template: shape({ Type: text, Regexp: text, RemoveEmptyTags: flag }),
    Service: shape({
      Service: text,
      SamenessGroup: text,
      Failover: shape({
        NearestN: count,
        Datacenters: maybe(listOf(text)),
        Targets: maybe(listOf(shape({ Peer: text, Datacenter: text }))),
      }),
      OnlyPassing: flag,
      IgnoreCheckIDs: maybe(listOf(text)),
      Near: text,
      Tags: maybe(listOf(text)),
      NodeMeta: maybe(mapOf(text)),
      ServiceMeta: maybe(mapOf(text)),
      Connect: flag,
      Peer: text,
    }),
    DNS: shape({ TTL: text }),
  }),
  'lock-delays': shape({ Key: text, ExpiresMs: count }),
  coordinates: shape({ Node: text, Segment: text, Coord: shape({ Vec: listOf(count), Error: count, Adjustment: count, Height: count }) }),
  'config-entries': (value) =>
    shape({ Kind: text, Name: text, Meta: maybe(mapOf(text)) })(value) && isReadableConfigEntry(value as ConfigEntry),
  'connect-ca-roots': shape({
    ID: text,
    Name: text,
    RootCert: text,
    SigningKeyID: text,
    IntermediateCerts: maybe(listOf(text)),
    Active: flag,
  }),
  'connect-ca-config': shape({ Provider: text, Config: map, State: maybe(mapOf(text)), ClusterID: text }),
  'connect-ca-builtin': shape({ ID: text, PrivateKey: text, RootCert: text }),
  'connect-ca-counters': shape({ Name: text, Value: count }),
  'restore-chunks': shape({ RestoreID: text, Number: count, Bytes: bytes }),
  'system-metadata': shape({ Key: text, Value: text }),
  'virtual-ips': shape({ Service: text, Offset: count, ManualIps: maybe(listOf(text)) }),
  'free-virtual-ips': shape({ Offset: count, IsCounter: flag }),
};

/** Tables that have a shape: all of them, which a test holds. */
export const SHAPED_TABLES: readonly string[] = Object.keys(ROWS);

export function isRowOf(table: string, row: unknown): boolean {
  return Object.hasOwn(ROWS, table) && ROWS[table]?.(row) === true;
}

export const isTableRecord: Test = shape({ Table: text, Index: count, Extinctions: mapOf(count) });
export const isBucketsRecord: Test = shape({
  Name: text,
  Buckets: listOf((pair) => Array.isArray(pair) && text(pair[0]) && count(pair[1])),
});
export const isTombstoneRecord: Test = shape({ Tombstone: text, Index: count });

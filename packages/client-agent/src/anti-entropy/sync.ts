import {
  type CallOptions,
  LictorError,
  type Logger,
  type Metrics,
  type RegisterCheck,
  type RegisterRequest,
  type Secret,
  type ServerPort,
} from '@lictor/protocol';
import type { CheckRecord, LocalState, ServiceRecord } from '../local/index.ts';
import { compareWithCatalog, type NodeInfo } from './compare.ts';
import { toRegisterCheck, toRegisterService } from './content.ts';

/** Writes under way at once: the log batches what arrives together. */
const CONCURRENCY = 16;

export interface SyncPorts {
  readonly state: LocalState;
  readonly server: ServerPort;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly node: () => NodeInfo;
  /** For the node itself and for removals. */
  readonly agentToken: () => Secret;
  /** For registrations that bring none. */
  readonly defaultToken: () => Secret;
}

/** Reads what the catalog has of this node, marks the differences, writes them. @throws LictorError of the first failure */
export async function syncFull(ports: SyncPorts, signal: AbortSignal): Promise<void> {
  const { server, state } = ports;
  const info = ports.node();
  const options: CallOptions = { token: ports.agentToken(), signal };
  const [found, checks] = await Promise.all([
    server.call('Catalog.NodeServices', { node: info.name }, options),
    server.call('Health.NodeChecks', { node: info.name }, options),
  ]);
  compareWithCatalog(state, info, { node: found.value?.Node ?? null, services: found.value?.Services ?? {}, checks: checks.value });
  await syncChanges(ports, signal);
}

/** Writes what is marked. Goes on after a failure, so that one refused row does not hold up the others. */
export async function syncChanges(ports: SyncPorts, signal: AbortSignal): Promise<void> {
  const { state } = ports;
  if (!state.isNodeInSync) await registerNode(ports, signal);
  const services = [...state.services].filter(([, record]) => !record.isInSync);
  await inParallel(services, ([id, record]) =>
    record.isDeleted ? removeService(ports, id, record, signal) : sendService(ports, record, signal),
  );
  // A service that came while the others were being sent goes with the next round, and its checks with it.
  const checks = [...state.checks].filter(([, record]) => !record.isInSync && (record.isDeleted || !isServicePending(state, record)));
  await inParallel(checks, ([id, record]) =>
    record.isDeleted ? removeCheck(ports, id, record, signal) : sendCheck(ports, record, signal),
  );
}

function isServicePending(state: LocalState, { check }: CheckRecord): boolean {
  return check.ServiceID !== '' && state.services.get(check.ServiceID)?.isInSync === false;
}

async function registerNode(ports: SyncPorts, signal: AbortSignal): Promise<void> {
  const { server, state, logger } = ports;
  try {
    state.isNodeInSync = true;
    await server.call('Catalog.Register', nodeRequest(ports, false), { token: ports.agentToken(), signal });
    logger.info('Synced node info');
  } catch (error) {
    if (!isDenied(error)) {
      state.isNodeInSync = false;
      throw error;
    }
    logger.warn('Node info update blocked by ACLs');
  }
}

async function sendService(ports: SyncPorts, record: ServiceRecord, signal: AbortSignal): Promise<void> {
  const { server, state, logger } = ports;
  const { service } = record;
  // Checks under the same token travel with their service.
  const checks = state.checksOf(service.ID).filter((check) => !check.isInSync && check.token.reveal() === record.token.reveal());
  const sent: readonly { isInSync: boolean }[] = [record, ...checks];
  const request = {
    ...nodeRequest(ports, true),
    Service: toRegisterService(service),
    Checks: checks.map(({ check }) => toRegisterCheck(check)),
  };
  for (const check of checks) cancelDeferred(check);
  await send(ports, sent, `Synced service`, `Service registration blocked by ACLs`, { service: service.ID }, () =>
    server.call('Catalog.Register', request, { token: tokenOf(ports, record), signal }),
  );
  logger.trace('checks travelled with their service', { service: service.ID, checks: checks.length });
}

async function sendCheck(ports: SyncPorts, record: CheckRecord, signal: AbortSignal): Promise<void> {
  cancelDeferred(record);
  const check: RegisterCheck = toRegisterCheck(record.check);
  const request = { ...nodeRequest(ports, true), Checks: [check] };
  await send(ports, [record], 'Synced check', 'Check registration blocked by ACLs', { check: record.check.CheckID }, () =>
    ports.server.call('Catalog.Register', request, { token: tokenOf(ports, record), signal }),
  );
}

async function removeService(ports: SyncPorts, id: string, record: ServiceRecord, signal: AbortSignal): Promise<void> {
  const { state, server } = ports;
  const request = { ...NO_IDS, Node: ports.node().name, ServiceID: id };
  const isDone = await send(ports, [record], 'Deregistered service', 'Service deregistration blocked by ACLs', { service: id }, () =>
    server.call('Catalog.Deregister', request, { token: ports.agentToken(), signal }).catch(ignoreUnknown),
  );
  if (!isDone || state.services.get(id) !== record) return;
  state.services.delete(id);
  // The catalog dropped its checks with it.
  for (const [checkId, check] of state.checks) if (check.isDeleted && check.check.ServiceID === id) state.checks.delete(checkId);
}

async function removeCheck(ports: SyncPorts, id: string, record: CheckRecord, signal: AbortSignal): Promise<void> {
  const { state, server } = ports;
  const request = { ...NO_IDS, Node: ports.node().name, CheckID: id };
  const isDone = await send(ports, [record], 'Deregistered check', 'Check deregistration blocked by ACLs', { check: id }, () =>
    server.call('Catalog.Deregister', request, { token: ports.agentToken(), signal }).catch(ignoreUnknown),
  );
  if (isDone && state.checks.get(id) === record) state.checks.delete(id);
}

const NO_IDS = { ServiceID: '', CheckID: '', Datacenter: '', Namespace: '', Partition: '' } as const;

/**
 * One write. The rows count as in sync from the moment they are sent, so that a change on the way marks them again; a failure takes that
 * back. A denial is final until something changes: asking again would not help.
 * @returns false when ACLs block it
 */
async function send(
  ports: SyncPorts,
  rows: readonly { isInSync: boolean }[],
  done: string,
  blocked: string,
  fields: Readonly<Record<string, string>>,
  write: () => Promise<unknown>,
): Promise<boolean> {
  for (const row of rows) row.isInSync = true;
  try {
    await write();
    ports.logger.info(done, fields);
    return true;
  } catch (error) {
    if (isDenied(error)) {
      ports.logger.warn(blocked, fields);
      ports.metrics.incrCounter('acl.blocked.registration', 1);
      return false;
    }
    for (const row of rows) row.isInSync = false;
    throw error;
  }
}

function nodeRequest(ports: SyncPorts, isKnown: boolean): RegisterRequest {
  const info = ports.node();
  return {
    ID: info.id,
    Node: info.name,
    Address: info.address,
    Datacenter: info.datacenter,
    TaggedAddresses: { ...info.taggedAddresses },
    NodeMeta: { ...info.meta },
    Checks: [],
    SkipNodeUpdate: isKnown,
    Namespace: '',
    Partition: '',
    PeerName: '',
  };
}

function tokenOf(ports: SyncPorts, record: { readonly token: Secret }): Secret {
  return record.token.isEmpty ? ports.defaultToken() : record.token;
}

function cancelDeferred(record: CheckRecord): void {
  record.deferred?.cancel();
  record.deferred = undefined;
}

function isDenied(error: unknown): boolean {
  return error instanceof LictorError && error.code === 'permission-denied';
}

/** Gone already is as good as removed. */
function ignoreUnknown(error: unknown): void {
  if (!/Unknown (service|check)/.test(LictorError.from(error).message)) throw error;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failure: unknown;
  const run = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      await work(item).catch((error: unknown) => {
        failure ??= error;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, items.length) }, run));
  if (failure !== undefined) throw failure;
}

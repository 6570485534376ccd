import {
  LictorError,
  TXN_CATALOG_VERBS,
  TXN_KV_VERBS,
  type TxnError,
  type TxnOperation,
  type TxnReply,
  type TxnResult,
} from '@lictor/protocol';
import type { Authorizer } from '@lictor/mesh';
import { MAX_TXN_OPERATIONS, runTxn, TXN_APPLY } from '../../fsm/commands/txn.ts';
import { checkKey, checksTable } from '../../state/tables/checks.ts';
import { serviceKey, servicesTable } from '../../state/tables/services.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import type { ReadEndpoints, WriteEndpoints } from '../types.ts';
import { permissionDenied, requireAccess } from './shared/acl.ts';
import { applyFailure } from './shared/apply-failure.ts';
import { assertNode } from './shared/validate-node.ts';
import { assertService } from './shared/validate-service.ts';
import { measure } from './shared/measure.ts';
import { requireKeyWrite } from './kv.ts';

export const txnReads = {
  'Txn.Read': (reader, { operations }, context) => {
    const refused = checkOperations(operations, context.authorizer, reader);
    if (refused.length > 0) return { Results: [], Errors: refused };
    if (operations.some(isWrite)) throw new LictorError('invalid-argument', 'a read transaction must not write');
    const reply = runTxn(readOnly(reader), operations);
    const results = reply.Results.filter((result) => mayRead(context.authorizer, result));
    if (results.length < reply.Results.length) context.noteFiltered();
    return { Results: results, Errors: reply.Errors };
  },
} satisfies ReadEndpoints;

export const txnWrites = {
  'Txn.Apply': (request, context) =>
    measure(context, 'txn.apply', async () => {
      const reader = context.reader();
      const refused = checkOperations(request.operations, context.authorizer, reader);
      if (refused.length > 0) return { index: reader.appliedIndex, value: { Results: [], Errors: refused } };
      const { index, result } = await context.propose<TxnReply>(TXN_APPLY, request).catch(applyFailure('raft apply failed'));
      const results = result.Results.filter((each) => mayRead(context.authorizer, each));
      return { index, value: { Results: results, Errors: result.Errors } };
    }),
} satisfies WriteEndpoints;

/** What can be said without the state: unknown verbs and missing rights, one error an operation. */
function checkOperations(operations: readonly TxnOperation[], authorizer: Authorizer, reader: StateReader): TxnError[] {
  if (operations.length > MAX_TXN_OPERATIONS) {
    throw new LictorError('too-large', `Transaction contains too many operations (${operations.length} > ${MAX_TXN_OPERATIONS})`);
  }
  const errors: TxnError[] = [];
  operations.forEach((operation, position) => {
    try {
      checkOperation(operation, authorizer, reader);
    } catch (thrown) {
      errors.push({ OpIndex: position, What: LictorError.from(thrown).message });
    }
  });
  return errors;
}

/** The same rights as on every other way to write (CVE-2021-38698). */
function checkOperation(operation: TxnOperation, authorizer: Authorizer, reader: StateReader): void {
  if ('KV' in operation) return checkKv(operation.KV, authorizer);
  if ('Node' in operation) {
    if (!requireCatalogVerb('node', operation.Node.Verb)) return;
    assertNode(operation.Node.Node);
    return requireAccess(authorizer, 'node', operation.Node.Node.Node, 'write');
  }
  if ('Service' in operation) return checkService(operation.Service, authorizer, reader);
  if ('Check' in operation) return checkCheck(operation.Check, authorizer, reader);
  throw new LictorError('invalid-argument', 'unknown operation type');
}

type OperationOf<Kind extends string> = Extract<TxnOperation, { readonly [K in Kind]: object }>[Kind];

/** The named service and the one that the instance belongs to now: an id is no way around the name. */
function checkService({ Verb, Node, Service }: OperationOf<'Service'>, authorizer: Authorizer, reader: StateReader): void {
  if (!requireCatalogVerb('service', Verb)) return;
  // Removals name the service as well (Consul runs the same checks before them).
  if (Verb !== 'get') assertService(Service);
  requireAccess(authorizer, 'service', Service.Service, 'write');
  if (Service.Kind === 'connect-proxy') requireAccess(authorizer, 'service', Service.Proxy.DestinationServiceName, 'write');
  const existing = reader.peek(servicesTable, serviceKey(Node, Service.ID));
  if (existing !== undefined) requireAccess(authorizer, 'service', existing.Service, 'write');
}

/** The instance's own name counts, not the one that the check claims: else a check could turn anybody's service critical. */
function checkCheck({ Verb, Check }: OperationOf<'Check'>, authorizer: Authorizer, reader: StateReader): void {
  if (!requireCatalogVerb('check', Verb)) return;
  const existing = reader.peek(checksTable, checkKey(Check.Node, Check.CheckID));
  for (const { ServiceID, ServiceName } of existing === undefined ? [Check] : [Check, existing]) {
    const service = ServiceID === '' ? undefined : reader.peek(servicesTable, serviceKey(Check.Node, ServiceID));
    if (ServiceID === '') requireAccess(authorizer, 'node', Check.Node, 'write');
    else requireAccess(authorizer, 'service', service?.Service ?? ServiceName, 'write');
  }
}

function checkKv(operation: OperationOf<'KV'>, authorizer: Authorizer): void {
  const { Verb, Key } = operation;
  if (Key === '' && Verb !== 'delete-tree') throw new LictorError('rejected', 'Must provide key');
  if (!TXN_KV_VERBS.includes(Verb)) throw new LictorError('rejected', `unknown KV operation: ${String(Verb)}`);
  // What a read shows is filtered afterwards, as for every list.
  if (Verb === 'get' || Verb === 'get-or-empty' || Verb === 'get-tree') return;
  if (Verb === 'check-session' || Verb === 'check-index') return requireAccess(authorizer, 'key', Key, 'read');
  if (Verb === 'check-not-exists' && !authorizer.allows('key', Key, 'write')) throw permissionDenied(authorizer, 'key', Key, 'write');
  requireKeyWrite({ authorizer }, Key, Verb === 'delete-tree');
}

/** Whether the verb writes. */
function requireCatalogVerb(kind: string, verb: (typeof TXN_CATALOG_VERBS)[number]): boolean {
  if (!TXN_CATALOG_VERBS.includes(verb)) throw new LictorError('rejected', `unknown ${kind} operation: ${String(verb)}`);
  return verb !== 'get';
}

function isWrite(operation: TxnOperation): boolean {
  if ('KV' in operation) return !READ_KV_VERBS.has(operation.KV.Verb);
  if ('Node' in operation) return operation.Node.Verb !== 'get';
  if ('Service' in operation) return operation.Service.Verb !== 'get';
  return operation.Check.Verb !== 'get';
}

const READ_KV_VERBS: ReadonlySet<string> = new Set(['get', 'get-or-empty', 'get-tree', 'check-index', 'check-session', 'check-not-exists']);

function mayRead(authorizer: Authorizer, result: TxnResult): boolean {
  if ('KV' in result) return authorizer.allows('key', result.KV.Key, 'read');
  if ('Node' in result) return authorizer.allows('node', result.Node.Node, 'read');
  if ('Service' in result) return authorizer.allows('service', result.Service.Service, 'read');
  const { Node, ServiceName } = result.Check;
  return ServiceName === '' ? authorizer.allows('node', Node, 'read') : authorizer.allows('service', ServiceName, 'read');
}

/** A transaction's view for operations that were found to read only. */
function readOnly(reader: StateReader): StateTxn {
  const refuse = (): never => {
    throw new LictorError('internal', 'a read transaction wrote');
  };
  return {
    index: reader.appliedIndex,
    timeMs: 0,
    appliedIndex: reader.appliedIndex,
    get: (table, key) => reader.get(table, key),
    scan: (table, prefix) => reader.scan(table, prefix),
    find: (table, index, value) => reader.find(table, index, value),
    count: (table) => reader.count(table),
    peek: (table, key) => reader.peek(table, key),
    resultIndex: () => reader.resultIndex(),
    dependencies: () => reader.dependencies(),
    put: refuse,
    remove: refuse,
    reapTombstones: refuse,
  };
}

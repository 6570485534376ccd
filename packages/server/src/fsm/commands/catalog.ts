import type { HealthCheck } from '@lictor/protocol';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import type { StateTxn } from '../../state/types.ts';
import { ensureCheck, removeCheck } from '../catalog/checks.ts';
import { ensureNode, type NodeFields, removeNode } from '../catalog/nodes.ts';
import type { ServiceFields } from '../catalog/rows.ts';
import { ensureService, removeService } from '../catalog/services.ts';
import { isHealthCheck, isNodeFields, isServiceFields, isObject } from '../catalog/shapes.ts';
import { total } from '../catalog/total.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export { txnCheck, txnNode, txnService } from '../catalog/txn.ts';

export const CATALOG_REGISTER = 'catalog.register';
export const CATALOG_DEREGISTER = 'catalog.deregister';

/** A node with, perhaps, one instance and checks; all of it or nothing is applied. */
export interface RegisterBody {
  readonly node: NodeFields;
  /** Leave an existing node as it is. */
  readonly skipNodeUpdate: boolean;
  readonly service?: ServiceFields;
  readonly checks: readonly HealthCheck[];
}

/** What goes: the instance when `serviceId` is set, else the check when `checkId` is set, else the whole node. */
export interface DeregisterBody {
  readonly node: string;
  readonly serviceId: string;
  readonly checkId: string;
}

export const catalogCommands = {
  [CATALOG_REGISTER]: total(CATALOG_REGISTER, isRegisterBody, applyRegister),
  [CATALOG_DEREGISTER]: total(CATALOG_DEREGISTER, isDeregisterBody, applyDeregister),
} satisfies CommandHandlers;

function applyRegister(txn: StateTxn, body: RegisterBody): null | CommandFailure {
  const existing = txn.get(nodesTable, nodeKey(body.node.Node));
  if (existing === undefined || !body.skipNodeUpdate) {
    const node = ensureNode(txn, body.node);
    if (node instanceof CommandFailure) return wrap(node, 'failed inserting node');
  }
  if (body.service !== undefined) {
    const service = ensureService(txn, body.node.Node, body.service);
    if (service instanceof CommandFailure) return wrap(service, 'failed inserting service');
  }
  for (const check of body.checks) {
    const failure = applyCheck(txn, body.node.Node, check);
    if (failure !== undefined) return failure;
  }
  return null;
}

function applyCheck(txn: StateTxn, node: string, check: HealthCheck): CommandFailure | undefined {
  if (check.Node.toLowerCase() !== node.toLowerCase()) {
    return new CommandFailure('rejected', `check node ${JSON.stringify(check.Node)} does not match node ${JSON.stringify(node)}`);
  }
  const written = ensureCheck(txn, check);
  return written instanceof CommandFailure ? wrap(written, `failed inserting check on node ${JSON.stringify(check.Node)}`) : undefined;
}

function wrap(failure: CommandFailure, context: string): CommandFailure {
  return new CommandFailure(failure.code, `${context}: ${failure.message}`);
}

/** Idempotent: what is not there is gone. */
function applyDeregister(txn: StateTxn, body: DeregisterBody): null {
  if (body.serviceId !== '') removeService(txn, body.node, body.serviceId);
  else if (body.checkId !== '') removeCheck(txn, body.node, body.checkId);
  else removeNode(txn, body.node);
  return null;
}

function isRegisterBody(value: unknown): value is RegisterBody {
  return (
    isObject(value) &&
    isNodeFields(value.node) &&
    value.node.Node !== '' &&
    typeof value.skipNodeUpdate === 'boolean' &&
    (value.service === undefined || value.service === null || isServiceFields(value.service)) &&
    Array.isArray(value.checks) &&
    value.checks.every(isHealthCheck)
  );
}

function isDeregisterBody(value: unknown): value is DeregisterBody {
  return isObject(value) && typeof value.node === 'string' && typeof value.serviceId === 'string' && typeof value.checkId === 'string';
}

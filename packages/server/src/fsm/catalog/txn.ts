import type { HealthCheck, Node, NodeService, TxnResult } from '@lictor/protocol';
import { checkKey, checksTable } from '../../state/tables/checks.ts';
import { nodeKey, nodesTable } from '../../state/tables/nodes.ts';
import { serviceKey, servicesTable } from '../../state/tables/services.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';
import { ensureCheck, removeCheck } from './checks.ts';
import { ensureNode, findNodeById, removeNode } from './nodes.ts';
import { ensureService, removeService } from './services.ts';
import { isHealthCheck, isNodeFields, isServiceFields } from './shapes.ts';

type Verb = 'set' | 'cas' | 'get' | 'delete' | 'delete-cas';
/** The row after the operation, undefined after a removal; a string says why the transaction must roll back. */
export type TxnOutcome = TxnResult | undefined | string;

/** One node operation of a transaction, on complete rows. */
export function txnNode(txn: StateTxn, op: { readonly Verb: Verb; readonly Node: Node }): TxnOutcome {
  const { Verb: verb, Node: wanted } = op;
  if (!isNodeFields(wanted)) return 'malformed node';
  const existing = txn.get(nodesTable, nodeKey(wanted.Node));
  const name = JSON.stringify(wanted.Node);
  switch (verb) {
    case 'get': {
      const found = lookUpNode(txn, wanted);
      return found === undefined ? `node ${name} doesn't exist` : { Node: found };
    }
    case 'cas':
    case 'set': {
      if (verb === 'cas' && !isCurrent(existing, wanted)) return `failed to set node ${name}, index is stale`;
      const written = ensureNode(txn, wanted);
      return written instanceof CommandFailure ? written.message : { Node: lookUpNode(txn, wanted) ?? written };
    }
    case 'delete-cas':
      if (existing?.ModifyIndex !== wanted.ModifyIndex) return `failed to delete node ${name}, index is stale`;
      removeNode(txn, wanted.Node);
      return undefined;
    case 'delete':
      removeNode(txn, wanted.Node);
      return undefined;
    default:
      return `unknown Node verb ${JSON.stringify(verb)}`;
  }
}

function lookUpNode(reader: StateReader, wanted: Node): Node | undefined {
  return wanted.ID === '' ? reader.get(nodesTable, nodeKey(wanted.Node)) : findNodeById(reader, wanted.ID);
}

export function txnService(txn: StateTxn, op: { readonly Verb: Verb; readonly Node: string; readonly Service: NodeService }): TxnOutcome {
  const { Verb: verb, Node: node, Service: wanted } = op;
  if (typeof node !== 'string' || !isServiceFields(wanted)) return 'malformed service';
  const existing = txn.get(servicesTable, serviceKey(node, wanted.ID));
  const name = `service ${JSON.stringify(wanted.ID)} on node ${JSON.stringify(node)}`;
  switch (verb) {
    case 'get':
      return existing === undefined ? `${name} doesn't exist` : { Service: existing };
    case 'cas':
    case 'set': {
      if (verb === 'cas' && !isCurrent(existing, wanted)) return `failed to set ${name}, index is stale`;
      const written = ensureService(txn, node, wanted);
      return written instanceof CommandFailure ? written.message : { Service: written };
    }
    case 'delete-cas':
      if (existing?.ModifyIndex !== wanted.ModifyIndex) return `failed to delete ${name}, index is stale`;
      removeService(txn, node, wanted.ID);
      return undefined;
    case 'delete':
      removeService(txn, node, wanted.ID);
      return undefined;
    default:
      return `unknown Service verb ${JSON.stringify(verb)}`;
  }
}

export function txnCheck(txn: StateTxn, op: { readonly Verb: Verb; readonly Check: HealthCheck }): TxnOutcome {
  const { Verb: verb, Check: wanted } = op;
  if (!isHealthCheck(wanted)) return 'malformed check';
  const existing = txn.get(checksTable, checkKey(wanted.Node, wanted.CheckID));
  const name = `check ${JSON.stringify(wanted.CheckID)} on node ${JSON.stringify(wanted.Node)}`;
  switch (verb) {
    case 'get':
      return existing === undefined ? `${name} doesn't exist` : { Check: existing };
    case 'cas':
    case 'set': {
      if (verb === 'cas' && !isCurrent(existing, wanted)) return `failed to set ${name}, index is stale`;
      const written = ensureCheck(txn, wanted);
      return written instanceof CommandFailure ? written.message : { Check: written };
    }
    case 'delete-cas':
      if (existing?.ModifyIndex !== wanted.ModifyIndex) return `failed to delete ${name}, index is stale`;
      removeCheck(txn, wanted.Node, wanted.CheckID);
      return undefined;
    case 'delete':
      removeCheck(txn, wanted.Node, wanted.CheckID);
      return undefined;
    default:
      return `unknown check verb ${JSON.stringify(verb)}`;
  }
}

/** Compare-and-set: index 0 asks that there be no row yet. */
function isCurrent(existing: { readonly ModifyIndex: number } | undefined, wanted: { readonly ModifyIndex: number }): boolean {
  return wanted.ModifyIndex === (existing?.ModifyIndex ?? 0);
}

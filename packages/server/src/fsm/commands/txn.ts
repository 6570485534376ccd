import type { TxnError, TxnOperation, TxnReply, TxnResult } from '@lictor/protocol';
import type { StateTxn } from '../../state/types.ts';
import { isKvWrite } from '../kv/shapes.ts';
import { txnKv } from '../kv/txn.ts';
import { CommandFailure, type CommandHandlers, Rollback } from '../types.ts';
import { txnCheck, txnNode, txnService } from './catalog.ts';

export const TXN_APPLY = 'txn.apply';
/** consul-facts T033. */
export const MAX_TXN_OPERATIONS = 128;

export interface TxnApplyBody {
  readonly operations: readonly TxnOperation[];
}

export const txnCommands = { [TXN_APPLY]: applyTxn } satisfies CommandHandlers;

function applyTxn(txn: StateTxn, body: TxnApplyBody): TxnReply | Rollback<TxnReply> | CommandFailure {
  if (!Array.isArray(body?.operations) || body.operations.length > MAX_TXN_OPERATIONS) {
    return new CommandFailure('invalid-argument', `malformed command ${TXN_APPLY}`);
  }
  const reply = runTxn(txn, body.operations);
  return reply.Errors.length > 0 ? new Rollback(reply) : reply;
}

/** Runs every operation, also after one failed, as Consul does: all errors are reported at once. */
export function runTxn(txn: StateTxn, operations: readonly TxnOperation[]): TxnReply {
  const results: TxnResult[] = [];
  const errors: TxnError[] = [];
  operations.forEach((operation, position) => {
    const outcome = runOperation(txn, operation);
    if (typeof outcome === 'string') errors.push({ OpIndex: position, What: outcome });
    else results.push(...outcome);
  });
  return errors.length > 0 ? { Results: [], Errors: errors } : { Results: results, Errors: [] };
}

function runOperation(txn: StateTxn, operation: TxnOperation): readonly TxnResult[] | string {
  if (!isOperation(operation)) return 'unknown operation type';
  if ('KV' in operation) return isKvWrite(operation.KV) ? txnKv(txn, operation.KV) : 'malformed KV operation';
  const outcome = runCatalogOperation(txn, operation);
  if (typeof outcome === 'string') return outcome;
  return outcome === undefined ? [] : [outcome];
}

function runCatalogOperation(txn: StateTxn, operation: Exclude<TxnOperation, { readonly KV: object }>): TxnResult | undefined | string {
  if ('Node' in operation) return txnNode(txn, operation.Node);
  if ('Service' in operation) return txnService(txn, operation.Service);
  return txnCheck(txn, operation.Check);
}

/** One member, which is an object. */
function isOperation(value: unknown): value is TxnOperation {
  if (typeof value !== 'object' || value === null) return false;
  const members = Object.entries(value);
  return members.length === 1 && members.every(([kind, member]) => KINDS.has(kind) && typeof member === 'object' && member !== null);
}

const KINDS: ReadonlySet<string> = new Set(['KV', 'Node', 'Service', 'Check']);

import type { HealthCheck, Node } from './catalog.ts';
import type { KvEntry, KvWrite } from './kv.ts';
import type { NodeService } from './service.ts';

export const TXN_KV_VERBS = [
  'set',
  'cas',
  'lock',
  'unlock',
  'get',
  'get-or-empty',
  'get-tree',
  'check-index',
  'check-session',
  'check-not-exists',
  'delete',
  'delete-tree',
  'delete-cas',
] as const;
export const TXN_CATALOG_VERBS = ['set', 'cas', 'get', 'delete', 'delete-cas'] as const;

/** One operation of PUT /v1/txn: exactly one of the members. */
export type TxnOperation =
  | { readonly KV: KvWrite & { readonly Verb: (typeof TXN_KV_VERBS)[number] } }
  | { readonly Node: { readonly Verb: (typeof TXN_CATALOG_VERBS)[number]; readonly Node: Node } }
  | { readonly Service: { readonly Verb: (typeof TXN_CATALOG_VERBS)[number]; readonly Node: string; readonly Service: NodeService } }
  | { readonly Check: { readonly Verb: (typeof TXN_CATALOG_VERBS)[number]; readonly Check: HealthCheck } };

export type TxnResult =
  /** Null after a write, and for a key that is not there (`get-or-empty`). */
  | { readonly KV: Omit<KvEntry, 'Value'> & { readonly Value: Uint8Array | null } }
  | { readonly Node: Node }
  | { readonly Service: NodeService }
  | { readonly Check: HealthCheck };

export interface TxnError {
  readonly OpIndex: number;
  readonly What: string;
}

export interface TxnReply {
  readonly Results: readonly TxnResult[];
  /** Not empty: nothing was applied. */
  readonly Errors: readonly TxnError[];
}

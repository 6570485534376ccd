import { Buffer } from 'node:buffer';
import type { HealthCheck, KvEntry, Node, NodeService, TXN_CATALOG_VERBS, TXN_KV_VERBS, TxnError } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import { ApiError } from '../errors.ts';
import { parseJson, stringifyJson } from '../json.ts';
import type { WriteOptions } from '../query.ts';

type CatalogVerb = (typeof TXN_CATALOG_VERBS)[number];

export interface TxnKvOperation {
  readonly Verb: (typeof TXN_KV_VERBS)[number];
  readonly Key: string;
  readonly Value?: string | Uint8Array;
  readonly Flags?: number | bigint;
  readonly Index?: number;
  readonly Session?: string;
}

export type TxnOperationRequest =
  | { readonly KV: TxnKvOperation }
  | { readonly Node: { readonly Verb: CatalogVerb; readonly Node: Partial<Node> } }
  | { readonly Service: { readonly Verb: CatalogVerb; readonly Node: string; readonly Service: Partial<NodeService> } }
  | { readonly Check: { readonly Verb: CatalogVerb; readonly Check: Partial<HealthCheck> } };

export interface TxnResponse {
  readonly Results: readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[] | null;
  readonly Errors: readonly TxnError[] | null;
}

/** A KV result's value, decoded. */
export function txnValue(entry: { readonly Value?: string | null }): KvEntry['Value'] {
  return Buffer.from(entry.Value ?? '', 'base64');
}

/** PUT /v1/txn */
export class TxnApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** All or nothing: `committed` is false, and Errors says why, when it rolled back. At most 128 operations. */
  async apply(
    operations: readonly TxnOperationRequest[],
    options: WriteOptions = {},
  ): Promise<TxnResponse & { readonly committed: boolean }> {
    try {
      const { text } = await this.#http.text('PUT', apiPath('txn'), { ...options, body: stringifyJson(operations.map(encode)) });
      return { ...(parseJson(text) as TxnResponse), committed: true };
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) return { ...(parseJson(error.body) as TxnResponse), committed: false };
      throw error;
    }
  }
}

function encode(operation: TxnOperationRequest): unknown {
  if (!('KV' in operation) || operation.KV.Value === undefined) return operation;
  const { Value, ...rest } = operation.KV;
  return { KV: { ...rest, Value: Buffer.from(Value as string).toString('base64') } };
}

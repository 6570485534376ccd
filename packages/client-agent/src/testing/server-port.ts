import {
  type CallOptions,
  type KvEntry,
  LictorError,
  type QueryMeta,
  type RpcMethod,
  type RpcReply,
  type RpcRequest,
  type RpcValue,
  type ServerPort,
} from '@lictor/protocol';

export type FakeHandlers = {
  readonly [M in RpcMethod]?: (request: RpcRequest<M>, options: CallOptions) => RpcReply<M> | Promise<RpcReply<M>>;
};

export interface RecordedCall {
  readonly method: RpcMethod;
  readonly request: unknown;
  readonly options: CallOptions;
}

/** A server made of the handlers that a test gives it; every call is kept. */
export class FakeServerPort implements ServerPort {
  readonly calls: RecordedCall[] = [];
  handlers: FakeHandlers;

  constructor(handlers: FakeHandlers = {}) {
    this.handlers = handlers;
  }

  async call<M extends RpcMethod>(method: M, request: RpcRequest<M>, options: CallOptions = {}): Promise<RpcReply<M>> {
    this.calls.push({ method, request, options });
    const handler = this.handlers[method] as
      | ((request: RpcRequest<M>, options: CallOptions) => RpcReply<M> | Promise<RpcReply<M>>)
      | undefined;
    if (handler === undefined) throw new LictorError('internal', `no handler for ${method}`);
    return handler(request, options);
  }
}

export const TEST_META: QueryMeta = {
  index: 7,
  knownLeader: true,
  lastContactMs: 0,
  consistency: 'default',
  resultsFilteredByAcls: false,
};

export function readReply<Value>(value: Value, meta: Partial<QueryMeta> = {}): { readonly meta: QueryMeta; readonly value: Value } {
  return { meta: { ...TEST_META, ...meta }, value };
}

export function writeReply<Value>(value: Value, index = 8): { readonly index: number; readonly value: Value } {
  return { index, value };
}

/** Keys and values in a Map: enough for the KV endpoint. */
export function kvHandlers(): FakeHandlers {
  const entries = new Map<string, KvEntry>();
  let index = 1;
  const below = (prefix: string): KvEntry[] =>
    [...entries.values()].filter(({ Key }) => Key.startsWith(prefix)).sort((a, b) => (a.Key < b.Key ? -1 : 1));
  return {
    'KVS.Get': ({ key }) => readReply(entries.get(key) ?? null, { index }),
    'KVS.List': ({ prefix }) => readReply(below(prefix), { index }),
    'KVS.ListKeys': ({ prefix }) =>
      readReply(
        below(prefix).map(({ Key }) => Key),
        { index },
      ),
    'KVS.Apply': ({ operation, entry }) => {
      index++;
      if (operation === 'delete') entries.delete(entry.Key);
      else if (operation === 'set') entries.set(entry.Key, { ...entry, LockIndex: 0, CreateIndex: index, ModifyIndex: index });
      else return writeReply(false, index);
      return writeReply(true, index);
    },
  };
}

/** For typed values of one method. */
export type ValueOf<M extends RpcMethod> = RpcValue<M>;

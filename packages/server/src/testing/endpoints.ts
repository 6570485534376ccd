import { allowAll, type Authorizer } from '@lictor/mesh';
import {
  type DecodeOptions,
  decode,
  type ReadMethod,
  type RegisterRequest,
  registerRequest,
  type RpcRequest,
  type RpcValue,
  silentLogger,
  silentMetrics,
  type WriteMethod,
} from '@lictor/protocol';
import { FakeClock, seededRandom } from '@lictor/protocol/testing';
import { COMMAND_HANDLERS } from '../fsm/commands/index.ts';
import type { ReadEndpoint, WriteContext, WriteEndpoint } from '../rpc/types.ts';
import { StateStore } from '../state/store.ts';
import type { Dependencies } from '../state/types.ts';
import { createTestStore, type TestStore } from './store.ts';

export interface Answer<Value> {
  readonly value: Value;
  readonly index: number;
  readonly isFiltered: boolean;
  readonly dependencies: Dependencies;
}

/** Endpoints over a store without consensus or dispatcher: each call is one evaluation or one log entry. */
export interface EndpointHarness extends TestStore {
  read<M extends ReadMethod>(endpoint: ReadEndpoint<M>, request: RpcRequest<M>, authorizer?: Authorizer): Answer<RpcValue<M>>;
  call<M extends WriteMethod>(endpoint: WriteEndpoint<M>, request: RpcRequest<M>, authorizer?: Authorizer): Promise<RpcValue<M>>;
}

const DATACENTER = 'dc1';

export function createEndpointHarness(store = new StateStore()): EndpointHarness {
  const testStore = createTestStore(COMMAND_HANDLERS, store);
  const clock = new FakeClock();
  const random = seededRandom(1);
  const context = (authorizer: Authorizer): WriteContext => ({
    authorizer,
    datacenter: DATACENTER,
    clock,
    random,
    logger: silentLogger,
    metrics: silentMetrics,
    reader: () => testStore.reader(),
    propose: (type, body) =>
      new Promise((resolve) => {
        const result = testStore.apply<never>(type, body);
        resolve({ index: testStore.store.appliedIndex, result });
      }),
  });
  return {
    ...testStore,
    read: (endpoint, request, authorizer = allowAll) => {
      const reader = testStore.reader();
      let isFiltered = false;
      const noteFiltered = (): void => {
        isFiltered = true;
      };
      const value = endpoint(reader, request, { authorizer, datacenter: DATACENTER, noteFiltered });
      return { value, index: reader.resultIndex(), isFiltered, dependencies: reader.dependencies() };
    },
    call: async (endpoint, request, authorizer = allowAll) => (await endpoint(request, context(authorizer))).value,
  };
}

const LENIENT: DecodeOptions = {};

/** A registration as PUT /v1/catalog/register would decode it. */
export function registration(body: Readonly<Record<string, unknown>>): RegisterRequest {
  return decode(registerRequest, { Address: '10.0.0.1', ...body }, LENIENT);
}

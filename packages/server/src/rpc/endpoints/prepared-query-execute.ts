import type { Authorizer } from '@lictor/mesh';
import {
  type CallOptions,
  LictorError,
  type PreparedQuery,
  type PreparedQueryRemoteRequest,
  type PreparedQueryResult,
  type RpcReply,
  Secret,
  shuffled,
} from '@lictor/protocol';
import type { DatacenterCalls, DatacenterDirectory } from '../../datacenters/index.ts';
import { datacentersByDistance } from '../../datacenters/index.ts';
import { isExecuteRequest, isRemoteRequest } from '../../prepared-query/shapes.ts';
import { failOver, isListed, nearestFirst, originOf, redact, resolveQuery, selectInstances } from '../../prepared-query/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { LiveContext, LiveEndpoint, LiveEndpoints } from '../types.ts';
import { measure } from './shared/measure.ts';

export interface PreparedQueryServices {
  readonly datacenters: DatacenterDirectory;
  readonly remoteDatacenters: Pick<DatacenterCalls, 'call'>;
  /** @throws LictorError for a token that does not exist */
  readonly resolveToken: (token: Secret) => Authorizer;
}

/** No state's index labels the answer of an execution: it is not waited for (observed: GET /v1/query/:id/execute). */
const INDEX = 1;

/** Queries executed, here and for other datacenters (consul-facts H125, H126). */
export function createPreparedQueryLive(services: PreparedQueryServices) {
  const explain: LiveEndpoint<'PreparedQuery.Explain'> = async (request, context) => {
    assertExecuteRequest(request);
    const { authorizer, logger } = context;
    const query = resolveQuery(context.reader(), request.idOrName, request.agent.segment);
    if (!isListed(authorizer, query)) {
      logger.warn('Explain on prepared query denied due to ACLs', { query: query.ID });
      throw new LictorError('permission-denied', 'Permission denied');
    }
    return { index: INDEX, value: redact(authorizer, query) };
  };

  const execute: LiveEndpoint<'PreparedQuery.Execute'> = async (request, context) => {
    assertExecuteRequest(request);
    const { datacenter: here, random } = context;
    const reader = context.reader();
    const query = resolveQuery(reader, request.idOrName, request.agent.segment);
    const instances = shuffled(select(reader, query, request.connect, context), random);
    const origin = originOf(reader, query.Service.Near, request, here);
    const nodes = atMost(request.limit, nearestFirst(reader, origin, instances));
    const local = resultOf(query, here, nodes);
    if (nodes.length > 0) return { index: INDEX, value: local };
    const { limit, connect } = request;
    const value = await failOver(query, { limit, connect }, local, {
      clock: context.clock,
      logger: context.logger,
      otherDatacenters: () => datacentersByDistance(services.datacenters, here).filter((datacenter) => datacenter !== here),
      execute: (datacenter, remoteRequest, signal) => askRemote(datacenter, remoteRequest, context, signal),
    });
    return { index: INDEX, value };
  };

  const executeRemote: LiveEndpoint<'PreparedQuery.ExecuteRemote'> = async (request, context) => {
    if (!isRemoteRequest(request)) throw new LictorError('invalid-argument', 'not a prepared query');
    const { query, limit, connect } = request;
    const nodes = shuffled(select(context.reader(), query, connect, context), context.random);
    return { index: INDEX, value: resultOf(query, context.datacenter, atMost(limit, nodes)) };
  };

  function select(reader: StateReader, query: PreparedQuery, connect: boolean, context: LiveContext) {
    const authorizer = query.Token === '' ? context.authorizer : services.resolveToken(new Secret(query.Token));
    const readContext = { authorizer, datacenter: context.datacenter, noteFiltered: () => context.noteFiltered() };
    return selectInstances(reader, query, connect, readContext);
  }

  async function askRemote(
    datacenter: string,
    request: PreparedQueryRemoteRequest,
    context: LiveContext,
    signal: AbortSignal,
  ): Promise<PreparedQueryResult> {
    const call = remoteCall(context.options, signal);
    const reply = await services.remoteDatacenters.call(datacenter, 'PreparedQuery.ExecuteRemote', request, call);
    const { value, meta } = reply as RpcReply<'PreparedQuery.ExecuteRemote'>;
    if (meta.resultsFilteredByAcls) context.noteFiltered();
    return value;
  }

  return {
    'PreparedQuery.Explain': (request, context) => measure(context, 'prepared-query.explain', () => explain(request, context)),
    'PreparedQuery.Execute': (request, context) => measure(context, 'prepared-query.execute', () => execute(request, context)),
    'PreparedQuery.ExecuteRemote': (request, context) =>
      measure(context, 'prepared-query.execute_remote', () => executeRemote(request, context)),
  } satisfies LiveEndpoints;
}

/** @throws LictorError `invalid-argument` */
function assertExecuteRequest(request: unknown): void {
  if (!isExecuteRequest(request)) throw new LictorError('invalid-argument', 'not an execution of a prepared query');
}

/** With the caller's token, and as fresh as the caller wants it; an index of this datacenter's means nothing in another. */
function remoteCall({ token, query: { consistency, maxStaleMs } = {}, signal: callers }: CallOptions, signal: AbortSignal): CallOptions {
  return {
    ...(token === undefined ? {} : { token }),
    query: { ...(consistency === undefined ? {} : { consistency }), ...(maxStaleMs === undefined ? {} : { maxStaleMs }) },
    signal: callers === undefined ? signal : AbortSignal.any([callers, signal]),
  };
}

function atMost<Item>(limit: number, items: readonly Item[]): readonly Item[] {
  return limit > 0 ? items.slice(0, limit) : items;
}

function resultOf(
  { Service: service, DNS: dns }: PreparedQuery,
  datacenter: string,
  nodes: PreparedQueryResult['Nodes'],
): PreparedQueryResult {
  return { Service: service.Service, Nodes: nodes, DNS: dns, Datacenter: datacenter, PeerName: '', Failovers: 0 };
}

import {
  type Clock,
  LictorError,
  type Logger,
  type PreparedQuery,
  type PreparedQueryRemoteRequest,
  type PreparedQueryResult,
  type PreparedQueryService,
} from '@lictor/protocol';

/** One other datacenter gets so long to answer, and all of them together: somebody waits, and a DNS client not for long. */
const REMOTE_TIMEOUT_MS = 5_000;
const TOTAL_TIMEOUT_MS = 15_000;

export interface FailoverPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** All that are known but this one, the nearest first. */
  readonly otherDatacenters: () => readonly string[];
  readonly execute: (datacenter: string, request: PreparedQueryRemoteRequest, signal: AbortSignal) => Promise<PreparedQueryResult>;
}

/**
 * Asks other datacenters, one after another and each once, until one has instances. One that does not answer is passed over.
 * @param local what this datacenter has: the answer when nobody else is asked
 */
export async function failOver(
  query: PreparedQuery,
  options: Pick<PreparedQueryRemoteRequest, 'limit' | 'connect'>,
  local: PreparedQueryResult,
  ports: FailoverPorts,
): Promise<PreparedQueryResult> {
  const { clock, logger } = ports;
  const deadlineMs = clock.monotonic() + TOTAL_TIMEOUT_MS;
  let result = local;
  for (const datacenter of failoverDatacenters(query.Service, ports.otherDatacenters(), logger)) {
    const restMs = deadlineMs - clock.monotonic();
    if (restMs <= 0) {
      logger.warn('a prepared query has taken too long to ask more datacenters', { service: query.Service.Service });
      break;
    }
    const failovers = result.Failovers + 1;
    try {
      const ask = (signal: AbortSignal) => ports.execute(datacenter, { query, ...options }, signal);
      const found = await withTimeout(clock, Math.min(restMs, REMOTE_TIMEOUT_MS), ask);
      // The other one cannot know how many were asked before it.
      result = { ...found, Failovers: failovers };
    } catch (thrown) {
      const error = LictorError.from(thrown).message;
      logger.warn('Failed querying for service in datacenter', { service: query.Service.Service, datacenter, error });
      result = { ...result, Nodes: [], Failovers: failovers };
    }
    if (result.Nodes.length > 0) break;
  }
  return result;
}

/** Those nearest, then those that are named; none twice, and none that is not known. */
function failoverDatacenters({ Failover: failover }: PreparedQueryService, known: readonly string[], logger: Logger): readonly string[] {
  const chosen = new Set(known.slice(0, Math.max(0, failover.NearestN)));
  for (const { Peer: peer, Datacenter: datacenter } of targetsOf(failover)) {
    if (peer !== '') logger.warn('Skipping a peer in prepared query: cluster peering is not supported yet', { peer });
    else if (known.includes(datacenter)) chosen.add(datacenter);
    else logger.debug('Skipping unknown datacenter in prepared query', { datacenter });
  }
  return [...chosen];
}

function targetsOf({ Datacenters: datacenters, Targets: targets }: PreparedQueryService['Failover']) {
  if (datacenters !== null && datacenters.length > 0) return datacenters.map((datacenter) => ({ Peer: '', Datacenter: datacenter }));
  return targets ?? [];
}

/** @throws LictorError `deadline-exceeded`, and what `run` throws */
async function withTimeout<Value>(clock: Clock, timeoutMs: number, run: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const controller = new AbortController();
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimer(timeoutMs, () => {
    const error = new LictorError('deadline-exceeded', `no answer within ${timeoutMs} ms`);
    reject(error);
    controller.abort(error);
  });
  try {
    return await Promise.race([run(controller.signal), timeout]);
  } finally {
    timer.cancel();
  }
}

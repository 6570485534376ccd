import {
  type CallOptions,
  type Clock,
  LictorError,
  type Random,
  type ReadMethod,
  type RpcRequest,
  type RpcValue,
  type ServerPort,
} from '@lictor/protocol';
import type { AgentCache, RuntimeConfig } from '../../contracts/index.ts';
import type { Resolution } from '../record.ts';
import { RCODE } from '../record.ts';

/** What a resolver may use. `domain` is the one that the question was asked under, so that answers stay in it. */
export interface ResolveContext {
  readonly config: RuntimeConfig;
  readonly server: ServerPort;
  readonly cache: AgentCache | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly domain: string;
  /** Who asks, by its IP address; empty when that is not known. */
  readonly source: string;
}

/** Reads as DNS does: with the agent's DNS token, from any server, from the cache where the configuration says so. */
export async function read<M extends ReadMethod>(
  context: ResolveContext,
  method: M,
  request: RpcRequest<M>,
  datacenter: string,
): Promise<RpcValue<M>> {
  const { dns, tokens } = context.config;
  const token = tokens.dns.isEmpty ? tokens.default : tokens.dns;
  if (dns.useCache && context.cache !== undefined) {
    const maxAge = dns.cacheMaxAgeMs > 0 ? { maxAgeMs: dns.cacheMaxAgeMs } : {};
    const cached = await context.cache.get<M>(method, request as never, { token, datacenter, ...maxAge });
    return cached.value as RpcValue<M>;
  }
  const query = dns.allowStale ? { consistency: 'stale' as const, maxStaleMs: dns.maxStaleMs } : {};
  const options: CallOptions = { token, query, ...(datacenter === '' ? {} : { datacenter }) };
  const reply = await context.server.call(method, request, options);
  return reply.value as RpcValue<M>;
}

/** What a failed read is to a resolver: names that may not be seen do not exist (consul-facts N014, N021). */
export function resolutionOfError(thrown: unknown): Resolution {
  const { code } = LictorError.from(thrown);
  const hidden = code === 'permission-denied' || code === 'no-path-to-datacenter' || code === 'not-found';
  return { rcode: hidden ? RCODE.NXDOMAIN : RCODE.SERVFAIL, answers: [], authorities: [] };
}

export const NO_SUCH_NAME: Resolution = { rcode: RCODE.NXDOMAIN, answers: [], authorities: [] };

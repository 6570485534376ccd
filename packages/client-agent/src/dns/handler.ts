import type { Clock, Logger, Metrics, Random, ServerPort } from '@lictor/protocol';
import type { AgentCache, RuntimeConfig } from '../contracts/index.ts';
import { decodeRequest } from './decode.ts';
import { fitResponse } from './fit.ts';
import { decodeAddresses, encodeQuestion, followNames } from './follow-names.ts';
import { cutDomain, parseLookup, parseReverse, trimDot } from './lookup.ts';
import { CLASS_IN, type DnsRequest, RCODE, type Resolution, TYPE } from './record.ts';
import { type DnsTransport, recurse, type RecursorOptions } from './recursor.ts';
import { addressOf } from './client-subnet.ts';
import { soaRecord } from './resolve/apex.ts';
import { NO_SUCH_NAME, type ResolveContext, resolutionOfError } from './resolve/context.ts';
import { resolve } from './resolve/index.ts';
import { resolveReverse } from './resolve/reverse.ts';

export type { DnsTransport } from './recursor.ts';

/** Aliases of aliases within our own domains. */
const MAX_ALIASES = 3;

export interface DnsDeps {
  /** The configuration in force; changes at reload. */
  config(): RuntimeConfig;
  readonly server: ServerPort;
  readonly cache?: AgentCache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** One message in, one message out, or nothing for what deserves no answer. Never rejects. `peer`: the IP address that it came from. */
export type DnsHandler = (message: Buffer, transport: DnsTransport, peer?: string) => Promise<Buffer | undefined>;

export function createDnsHandler(deps: DnsDeps): DnsHandler {
  return async (message, transport, peer = '') => {
    const decoded = decodeRequest(message);
    if (decoded.kind === 'malformed') {
      return decoded.id === undefined ? undefined : bareAnswer(decoded.id, decoded.notImplemented ? RCODE.NOTIMP : RCODE.FORMERR);
    }
    const startedMs = deps.clock.monotonic();
    try {
      return await answer(deps, decoded.request, message, transport, peer);
    } catch (error) {
      deps.logger.error('dns: request failed', { name: decoded.request.question.name, error });
      return bareAnswer(decoded.request.id, RCODE.SERVFAIL);
    } finally {
      const metric = parseReverse(decoded.request.question.name) === undefined ? 'dns.domain_query' : 'dns.ptr_query';
      deps.metrics.addSample(metric, deps.clock.monotonic() - startedMs);
    }
  };
}

async function answer(deps: DnsDeps, request: DnsRequest, message: Buffer, transport: DnsTransport, peer: string): Promise<Buffer> {
  const config = deps.config();
  const { name, type } = request.question;
  const domains = [config.domain, config.altDomain].map((domain) => trimDot(domain.toLowerCase())).filter((domain) => domain !== '');
  const own = cutDomain(name, domains);
  const context = contextOf(deps, config, own?.domain ?? domains[0] ?? 'consul', sourceOf(request, peer));
  const fit = (resolution: Resolution, authoritative: boolean): Buffer =>
    fitResponse(request, resolution, {
      transport,
      udpAnswerLimit: config.dns.udpAnswerLimit,
      aRecordLimit: config.dns.aRecordLimit,
      enableTruncate: config.dns.enableTruncate,
      compress: !config.dns.disableCompression,
      authoritative,
      recursionAvailable: config.dns.recursors.length > 0,
    });
  if (request.question.class !== CLASS_IN && request.question.class !== TYPE.ANY) return fit(refusal(RCODE.REFUSED), false);
  if (type === TYPE.AXFR) return fit(refusal(RCODE.NOTIMP), false);
  if (own !== undefined) {
    const found = await resolveOwn(deps, context, domains, trimDot(name), type, MAX_ALIASES).catch(resolutionOfError);
    return fit(withSoa(context, found), true);
  }
  const address = parseReverse(name);
  if (address !== undefined && (type === TYPE.PTR || type === TYPE.ANY)) {
    const found = await resolveReverse(context, trimDot(name), address).catch(resolutionOfError);
    if (found !== undefined) return fit(withSoa(context, found), true);
    if (config.dns.recursors.length === 0) return fit(withSoa(context, NO_SUCH_NAME), true);
  }
  if (config.dns.recursors.length === 0) return fit(refusal(RCODE.REFUSED), false);
  return (await recurse(message, transport, recursorsOf(config), deps)) ?? fit(refusal(RCODE.SERVFAIL), false);
}

/** Answers a name under one of `domains`, and what it is an alias of: under our domains again, or, where there are recursors, anywhere. */
async function resolveOwn(
  deps: DnsDeps,
  context: ResolveContext,
  domains: readonly string[],
  name: string,
  type: number,
  aliasesLeft: number,
): Promise<Resolution> {
  const own = cutDomain(name, domains);
  if (own === undefined) return NO_SUCH_NAME;
  const found = await resolve(context, name, type, parseLookup(own.labels));
  return followNames(found, type, async (target, wanted) => {
    if (cutDomain(target, domains) === undefined) {
      const answer = await recurse(encodeQuestion(target, wanted), 'udp', recursorsOf(context.config), deps);
      return answer === undefined ? [] : decodeAddresses(answer);
    }
    if (aliasesLeft === 0) return [];
    const { answers } = await resolveOwn(deps, context, domains, trimDot(target), TYPE[wanted], aliasesLeft - 1).catch(resolutionOfError);
    return answers.map(({ record }) => record);
  });
}

function recursorsOf({ dns }: RuntimeConfig): RecursorOptions {
  return { recursors: dns.recursors, strategy: dns.recursorStrategy, timeoutMs: dns.recursorTimeoutMs };
}

function contextOf(deps: DnsDeps, config: RuntimeConfig, domain: string, source: string): ResolveContext {
  return { config, server: deps.server, cache: deps.cache, clock: deps.clock, random: deps.random, domain, source };
}

/** A resolver says for whom it asks (RFC 7871); else it is who sent the question. */
function sourceOf({ edns }: DnsRequest, peer: string): string {
  return (edns?.subnet === undefined ? undefined : addressOf(edns.subnet)) ?? peer.replace(/^::ffff:(?=\d+\.)/, '');
}

/** "No such name" and "no such type" carry the SOA, whose minimum says how long that may be believed (RFC 2308). */
function withSoa(context: ResolveContext, resolution: Resolution): Resolution {
  const isNegative = resolution.rcode === RCODE.NXDOMAIN || (resolution.rcode === RCODE.NOERROR && resolution.answers.length === 0);
  return isNegative ? { ...resolution, authorities: [soaRecord(context)] } : resolution;
}

function refusal(rcode: number): Resolution {
  return { rcode, answers: [], authorities: [] };
}

/** A header alone: the question could not be read, so it is not repeated. */
function bareAnswer(id: number, rcode: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x8000 | rcode, 2);
  return header;
}

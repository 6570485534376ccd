import type { Lookup } from '../lookup.ts';
import { RCODE, type Resolution } from '../record.ts';
import { addressRecord, wants } from './address-records.ts';
import { resolveApex, resolveNameserver } from './apex.ts';
import { NO_SUCH_NAME, type ResolveContext } from './context.ts';
import { resolveNode } from './node.ts';
import { resolveQuery } from './query.ts';
import { resolveService, resolveVirtual } from './service.ts';
import { toSeconds } from './ttl.ts';

/** Answers a question under our domain. `name` is the question's own, so that answers repeat it letter by letter. */
export function resolve(context: ResolveContext, name: string, type: number, lookup: Lookup): Promise<Resolution> {
  switch (lookup.kind) {
    case 'apex':
      return resolveApex(context, name, type);
    case 'nameserver':
      return resolveNameserver(context, name, type);
    case 'service':
    case 'connect':
    case 'ingress':
      return resolveService(context, name, type, lookup);
    case 'virtual':
      return resolveVirtual(context, name, type, lookup);
    case 'query':
      return resolveQuery(context, name, type, lookup.query, lookup.datacenter);
    case 'node':
      return resolveNode(context, name, type, lookup.node, lookup.datacenter);
    case 'address':
      return Promise.resolve(resolveAddress(context, name, type, lookup.address));
    case 'unknown':
      return Promise.resolve(NO_SUCH_NAME);
  }
}

function resolveAddress(context: ResolveContext, name: string, type: number, address: string): Resolution {
  const record = addressRecord(name, address, toSeconds(context.config.dns.nodeTtlMs));
  const answers = record !== undefined && wants(type, record) ? [{ record, additionals: [] }] : [];
  return { rcode: RCODE.NOERROR, answers, authorities: [] };
}

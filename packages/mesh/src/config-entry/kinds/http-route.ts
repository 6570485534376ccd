import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import {
  commonFields,
  flag,
  int,
  kept,
  listOf,
  mapOf,
  nanoseconds,
  nullPointer,
  opaque,
  pointer,
  struct,
  text,
} from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { isDomainName, isHttpMethod, validateMeta } from './meta.ts';
import { normaliseParents, resourceReference, status, validateParents } from './resource-reference.ts';
import { gatewayServiceTls } from './tls-parameters.ts';
import { gatewayLimits, validateGatewayLimits } from './upstream-config.ts';

const headerFilters = kept(listOf(struct({ Add: kept(mapOf(text())), Remove: kept(listOf(text())), Set: kept(mapOf(text())) })));
const processing = struct({ HeadersMode: text(), BodyMode: text(), TrailersMode: text(), MaxBodyBytes: int() });
const extProc = struct({
  StatPrefix: text(),
  Mode: text(),
  Overrides: pointer(struct({ Processing: pointer(struct({ Request: pointer(processing), Response: pointer(processing) })) })),
});
/** `ExtProc`, `ExtAuthz`, `Invert` and a service's `TLS` and `Limits` came with Consul 2.x (consul-facts V009). */
const filters = struct({
  Headers: headerFilters,
  URLRewrite: nullPointer(struct({ Path: kept(text()) })),
  RetryFilter: nullPointer(
    struct({
      NumRetries: kept(int()),
      RetryOn: kept(listOf(text())),
      RetryOnStatusCodes: kept(listOf(int())),
      RetryOnConnectFailure: kept(flag()),
    }),
  ),
  TimeoutFilter: nullPointer(struct({ RequestTimeout: kept(nanoseconds()), IdleTimeout: kept(nanoseconds()) })),
  JWT: nullPointer(opaque()),
  ExtProc: listOf(extProc),
  ExtAuthz: pointer(struct({ Enabled: kept(flag()) })),
});
const responseFilters = struct({ Headers: headerFilters });
const queryMatch = struct({ Match: kept(text()), Name: kept(text()), Value: kept(text()) });
const headerMatch = struct({ Match: kept(text()), Name: kept(text()), Value: kept(text()), Invert: flag() });
const service = struct({
  Name: kept(text()),
  Weight: kept(int()),
  Filters: filters,
  ResponseFilters: responseFilters,
  TLS: pointer(gatewayServiceTls),
  Limits: pointer(gatewayLimits),
});

const shape = struct({
  ...commonFields,
  Parents: kept(listOf(resourceReference)),
  Rules: kept(
    listOf(
      struct({
        Filters: filters,
        ResponseFilters: responseFilters,
        Matches: kept(
          listOf(
            struct({
              Headers: kept(listOf(headerMatch)),
              Method: kept(text()),
              Path: struct({ Match: kept(text()), Value: kept(text()) }),
              Query: kept(listOf(queryMatch)),
            }),
          ),
        ),
        Services: kept(listOf(service)),
      }),
    ),
  ),
  Hostnames: kept(listOf(text())),
  Status: status,
});
export type HttpRoute = schema.Infer<typeof shape>;
type Rule = HttpRoute['Rules'][number];
type RouteMatch = Rule['Matches'][number];

const QUERY_MATCHES = ['exact', 'present', 'regex'];
const HEADER_MATCHES = ['exact', 'prefix', 'regex', 'suffix', 'present'];

export const httpRoute = defineKind<HttpRoute>({
  kind: 'http-route',
  shape,
  normalise: (entry) => {
    entry.Status = { Conditions: [] };
    normaliseParents(entry.Parents);
    for (const rule of entry.Rules) normaliseRule(rule);
  },
  validate: (entry) => {
    for (const host of entry.Hostnames) {
      if (!isDomainName(host)) throw rejected(`host ${quote(host)} must be a valid DNS hostname`);
      if (host.includes('*')) throw rejected(`host ${quote(host)} must not be a wildcard`);
    }
    validateParents(entry.Parents);
    validateMeta(entry.Meta);
    entry.Rules.forEach((rule, index) => {
      if (rule.Filters.JWT !== undefined) throw rejected('http-route jwt filters are a consul enterprise feature');
      rule.Services.forEach((item, position) => validateGatewayLimits(item.Limits, `Rule[${index}], Services[${position}], Limits: `));
      rule.Matches.forEach((item, position) => validateMatch(item, `Rule[${index}], Match[${position}]`));
    });
  },
});

function normaliseRule(rule: Rule): void {
  for (const item of rule.Matches) {
    item.Method = item.Method.toUpperCase();
    if (item.Path.Match === '') item.Path = { Match: 'prefix', Value: '/' };
  }
  for (const service of rule.Services) if (service.Weight <= 0) service.Weight = 1;
}

function validateMatch(item: RouteMatch, where: string): void {
  if (item.Method !== '' && !isHttpMethod(item.Method)) throw rejected(`${where}, Method contains an invalid method ${quote(item.Method)}`);
  item.Query.forEach((query, index) => {
    if (query.Name === '') throw rejected(`${where}, Query[${index}], missing required Name field`);
    if (!QUERY_MATCHES.includes(query.Match))
      throw rejected(`${where}, Query[${index}], match type should be one of present, exact, or regex`);
  });
  item.Headers.forEach((header, index) => {
    if (header.Name === '') throw rejected(`${where}, Headers[${index}], missing required Name field`);
    if (!HEADER_MATCHES.includes(header.Match)) {
      throw rejected(`${where}, Headers[${index}], match type should be one of present, exact, prefix, suffix, or regex`);
    }
  });
  const { Match: kind, Value: value } = item.Path;
  if (kind !== 'exact' && kind !== 'prefix' && kind !== 'regex')
    throw rejected(`${where}, Path, match type should be one of exact, prefix, or regex`);
  if (kind !== 'regex' && !value.startsWith('/'))
    throw rejected(`${where}, Path, ${kind} type match doesn't start with '/': ${quote(value)}`);
}

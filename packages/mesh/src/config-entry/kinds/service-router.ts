import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, duration, flag, int, kept, listOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { headerModifiers } from './common.ts';
import { isHttpMethod, requireName, validateMeta } from './meta.ts';

const shape = struct({
  ...commonFields,
  Routes: kept(
    listOf(
      struct({
        Match: pointer(
          struct({
            HTTP: pointer(
              struct({
                PathExact: text(),
                PathPrefix: text(),
                PathRegex: text(),
                CaseInsensitive: flag(),
                Header: listOf(
                  struct({
                    Name: kept(text()),
                    Present: flag(),
                    Exact: text(),
                    Prefix: text(),
                    Suffix: text(),
                    Regex: text(),
                    Invert: flag(),
                  }),
                ),
                QueryParam: listOf(struct({ Name: kept(text()), Present: flag(), Exact: text(), Regex: text() })),
                Methods: listOf(text()),
              }),
            ),
          }),
        ),
        Destination: pointer(
          struct({
            Service: text(),
            ServiceSubset: text(),
            Namespace: text(),
            Partition: text(),
            PrefixRewrite: text(),
            RequestTimeout: duration(),
            IdleTimeout: duration(),
            NumRetries: int(),
            RetryOnConnectFailure: flag(),
            RetryOn: listOf(text()),
            RetryOnStatusCodes: listOf(int()),
            RequestHeaders: pointer(headerModifiers),
            ResponseHeaders: pointer(headerModifiers),
          }),
        ),
      }),
    ),
  ),
});
export type ServiceRouter = schema.Infer<typeof shape>;
type Route = ServiceRouter['Routes'][number];
type HttpMatch = NonNullable<NonNullable<Route['Match']>['HTTP']>;

const RETRY_CONDITIONS = [
  '5xx',
  'gateway-error',
  'reset',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];

export const serviceRouter = defineKind<ServiceRouter>({
  kind: 'service-router',
  shape,
  normalise: (entry) => {
    for (const route of entry.Routes) {
      const http = route.Match?.HTTP;
      if (http !== undefined) http.Methods = http.Methods.map((method) => method.toUpperCase());
    }
  },
  validate: (entry) => {
    requireName(entry.Name);
    validateMeta(entry.Meta);
    entry.Routes.forEach((route, index) => validateRoute(route, `Route[${index}]`));
  },
});

function validateRoute(route: Route, where: string): void {
  const http = route.Match?.HTTP;
  if (http !== undefined) validateMatch(http, where);
  const destination = route.Destination;
  if (destination === undefined) return;
  const hasPlainPath = http !== undefined && (http.PathExact !== '' || http.PathPrefix !== '');
  if (destination.PrefixRewrite !== '' && !hasPlainPath) {
    throw rejected(`${where} cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix`);
  }
  const unknown = destination.RetryOn.find((condition) => !RETRY_CONDITIONS.includes(condition));
  if (unknown !== undefined) throw rejected(`${where} contains an invalid retry condition: ${quote(unknown)}`);
}

function validateMatch(http: HttpMatch, where: string): void {
  for (const field of ['PathExact', 'PathPrefix'] as const) {
    if (http[field] !== '' && !http[field].startsWith('/'))
      throw rejected(`${where} ${field} doesn't start with '/': ${quote(http[field])}`);
  }
  if ([http.PathExact, http.PathPrefix, http.PathRegex].filter((path) => path !== '').length > 1) {
    throw rejected(`${where} should only contain at most one of PathExact, PathPrefix, or PathRegex`);
  }
  http.Header.forEach((header, index) => {
    if (header.Name === '') throw rejected(`${where} Header[${index}] missing required Name field`);
    if (countSet(header.Present, header.Exact, header.Regex, header.Prefix, header.Suffix) !== 1) {
      throw rejected(`${where} Header[${index}] should only contain one of Present, Exact, Prefix, Suffix, or Regex`);
    }
  });
  http.QueryParam.forEach((parameter, index) => {
    if (parameter.Name === '') throw rejected(`${where} QueryParam[${index}] missing required Name field`);
    if (countSet(parameter.Present, parameter.Exact, parameter.Regex) !== 1) {
      throw rejected(`${where} QueryParam[${index}] should only contain one of Present, Exact, or Regex`);
    }
  });
  const seen = new Set<string>();
  for (const method of http.Methods) {
    if (!isHttpMethod(method)) throw rejected(`${where} Methods contains an invalid method ${quote(method)}`);
    if (seen.has(method)) throw rejected(`${where} Methods contains ${quote(method)} more than once`);
    seen.add(method);
  }
}

function countSet(...values: readonly (string | boolean)[]): number {
  return values.filter((value) => value !== '' && value !== false).length;
}

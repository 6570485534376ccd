import type { schema } from '@lictor/protocol';
import { joinProblems, quote, rejected } from '../../problems.ts';
import { commonFields, flag, int, kept, listOf, nanoseconds, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { requireName, validateMeta } from './meta.ts';

const remote = struct({
  URI: text(),
  RequestTimeoutMs: int(),
  CacheDuration: nanoseconds(),
  FetchAsynchronously: flag(),
  RetryPolicy: pointer(
    struct({ NumRetries: int(), RetryPolicyBackOff: pointer(struct({ BaseInterval: nanoseconds(), MaxInterval: nanoseconds() })) }),
  ),
  JWKSCluster: pointer(
    struct({
      DiscoveryType: text(),
      TLSCertificates: pointer(
        struct({
          CaCertificateProviderInstance: pointer(struct({ InstanceName: text(), CertificateName: text() })),
          TrustedCA: pointer(struct({ Filename: text(), EnvironmentVariable: text(), InlineString: text(), InlineBytes: text() })),
        }),
      ),
      ConnectTimeout: nanoseconds(),
    }),
  ),
});

const shape = struct({
  ...commonFields,
  JSONWebKeySet: pointer(struct({ Local: pointer(struct({ JWKS: text(), Filename: text() })), Remote: pointer(remote) })),
  Issuer: text(),
  Audiences: listOf(text()),
  Locations: listOf(
    struct({
      Header: pointer(struct({ Name: text(), ValuePrefix: text(), Forward: flag() })),
      QueryParam: pointer(struct({ Name: text() })),
      Cookie: pointer(struct({ Name: text() })),
    }),
  ),
  Forwarding: pointer(struct({ HeaderName: text(), PadForwardPayloadHeader: kept(flag()) })),
  ClockSkewSeconds: int(),
  CacheConfig: pointer(struct({ Size: int() })),
});
export type JwtProvider = schema.Infer<typeof shape>;
type KeySet = NonNullable<JwtProvider['JSONWebKeySet']>;
type Remote = NonNullable<KeySet['Remote']>;

const DEFAULT_CLOCK_SKEW_SECONDS = 30;
const DISCOVERY_TYPES = ['STATIC', 'STRICT_DNS', 'LOGICAL_DNS', 'EDS', 'ORIGINAL_DST'];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const jwtProvider = defineKind<JwtProvider>({
  kind: 'jwt-provider',
  shape,
  normalise: (entry) => {
    if (entry.ClockSkewSeconds === 0) entry.ClockSkewSeconds = DEFAULT_CLOCK_SKEW_SECONDS;
  },
  validate: (entry) => {
    requireName(entry.Name);
    validateMeta(entry.Meta);
    if (entry.JSONWebKeySet === undefined) throw rejected('JSONWebKeySet is required');
    validateKeySet(entry.JSONWebKeySet);
    const problems = entry.Locations.flatMap(findLocationProblem);
    if (problems.length > 0) throw rejected(joinProblems(problems));
    if (entry.Forwarding !== undefined && entry.Forwarding.HeaderName === '') throw rejected('Header name required for forwarding config');
  },
});

function validateKeySet(keys: KeySet): void {
  if ((keys.Local === undefined) === (keys.Remote === undefined))
    throw rejected('must specify exactly one of Local or Remote JSON Web key set');
  if (keys.Remote !== undefined) validateRemote(keys.Remote);
  if (keys.Local === undefined) return;
  if ((keys.Local.JWKS === '') === (keys.Local.Filename === ''))
    throw rejected('must specify exactly one of String or filename for local keyset');
  if (!BASE64.test(keys.Local.JWKS)) throw rejected('JWKS must be valid base64 encoded string');
}

function validateRemote(keys: Remote): void {
  if (keys.URI === '') throw rejected('Remote JWKS URI is required');
  if (!URL.canParse(keys.URI))
    throw rejected(`Remote JWKS URI is invalid: parse ${quote(keys.URI)}: invalid URI for request, uri: ${keys.URI}`);
  const backOff = keys.RetryPolicy?.RetryPolicyBackOff;
  if (backOff !== undefined && backOff.MaxInterval !== 0 && backOff.BaseInterval > backOff.MaxInterval) {
    throw rejected("retry policy backoff's MaxInterval should be greater or equal to BaseInterval");
  }
  const cluster = keys.JWKSCluster;
  if (cluster === undefined) return;
  if (cluster.DiscoveryType !== '' && !DISCOVERY_TYPES.includes(cluster.DiscoveryType)) {
    throw rejected(`unsupported jwks cluster discovery type: ${quote(cluster.DiscoveryType)}`);
  }
  const tls = cluster.TLSCertificates;
  if (tls === undefined) return;
  if ((tls.CaCertificateProviderInstance === undefined) === (tls.TrustedCA === undefined)) {
    throw rejected("must specify exactly one of: CaCertificateProviderInstance or TrustedCA for JKWS' TLSCertificates");
  }
  const sources = Object.values(tls.TrustedCA ?? {}).filter((value) => value !== '').length;
  if (tls.TrustedCA !== undefined && sources !== 1) {
    throw rejected("must specify exactly one of: Filename, EnvironmentVariable, InlineString or InlineBytes for JWKS' TrustedCA");
  }
}

function findLocationProblem(location: JwtProvider['Locations'][number]): string[] {
  const { Header: header, QueryParam: parameter, Cookie: cookie } = location;
  if ([header, parameter, cookie].filter((place) => place !== undefined).length !== 1) {
    return ['must set exactly one of: JWT location header, query param or cookie'];
  }
  if (header?.Name === '') return ['JWT location header name must be specified'];
  if (cookie?.Name === '') return ['JWT location cookie name must be specified'];
  return parameter?.Name === '' ? ['JWT location query param name must be specified'] : [];
}

import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, flag, int, kept, listOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';
import { resourceReference, status } from './resource-reference.ts';
import { gatewayTls, sds, validateTlsParameters } from './tls-parameters.ts';
import { gatewayLimits, validateGatewayLimits } from './upstream-config.ts';

// `Override` and `Default` (JWT) are Enterprise features.
const listener = struct({
  Name: kept(text()),
  Hostname: kept(text()),
  Port: kept(int()),
  Protocol: kept(text()),
  TLS: struct({
    Certificates: kept(listOf(resourceReference)),
    SDS: pointer(sds),
    MaxVersion: kept(text()),
    MinVersion: kept(text()),
    CipherSuites: kept(listOf(text())),
  }),
  MaxRequestHeadersKB: pointer(int()),
});

/** `TLS`, `SDS`, `Defaults`, `ExtAuthz` and `MaxRequestHeadersKB` came with Consul 2.x (consul-facts V008, V009). */
const shape = struct({
  ...commonFields,
  TLS: pointer(gatewayTls),
  Listeners: kept(listOf(listener)),
  Defaults: pointer(gatewayLimits),
  ExtAuthz: pointer(struct({ Enabled: kept(flag()) })),
  Status: status,
});
export type ApiGateway = schema.Infer<typeof shape>;
type Listener = ApiGateway['Listeners'][number];

const LISTENER_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** The two in the middle came with Consul 2.x. */
const PROTOCOLS = ['http', 'http2', 'grpc', 'tcp'];
const CERTIFICATE_KINDS = ['file-system-certificate', 'inline-certificate'];

export const apiGateway = defineKind<ApiGateway>({
  kind: 'api-gateway',
  shape,
  normalise: (entry) => {
    entry.Status = { Conditions: [] };
    for (const listener of entry.Listeners) {
      listener.Protocol = listener.Protocol.toLowerCase();
      for (const certificate of listener.TLS.Certificates) if (certificate.Kind === '') certificate.Kind = 'inline-certificate';
    }
  },
  validate: (entry) => {
    validateMeta(entry.Meta);
    validateGatewayLimits(entry.Defaults, 'Defaults: ');
    if (entry.TLS !== undefined) validateTlsParameters(entry.TLS.TLSMinVersion, entry.TLS.TLSMaxVersion, entry.TLS.CipherSuites);
    if (entry.Listeners.length === 0) throw rejected('api gateway must have at least one listener');
    validateNames(entry.Listeners);
    validateSharedPorts(entry.Listeners);
    for (const listener of entry.Listeners) {
      validateListener(listener);
      validateSds(entry, listener);
    }
  },
});

function validateNames(listeners: readonly Listener[]): void {
  const seen = new Set<string>();
  for (const { Name: name } of listeners) {
    if (!LISTENER_NAME.test(name)) {
      throw rejected(`listener name ${quote(name)} is invalid, must be at least 1 character and contain only letters, numbers, or dashes`);
    }
    if (seen.has(name)) throw rejected(`found multiple listeners with the name ${quote(name)}`);
    seen.add(name);
  }
}

function validateSharedPorts(listeners: readonly Listener[]): void {
  const byPort = new Map<number, Listener>();
  for (const listener of listeners) {
    const other = byPort.get(listener.Port);
    if (other !== undefined && (other.Hostname !== listener.Hostname || other.Protocol !== listener.Protocol)) {
      throw rejected(`listeners ${quote(other.Name)} and ${quote(listener.Name)} cannot be merged`);
    }
    byPort.set(listener.Port, listener);
  }
}

/** Certificates come from entries or from a discovery service, whose cluster the gateway may name for all of its listeners. */
function validateSds(entry: ApiGateway, listener: Listener): void {
  const own = listener.TLS.SDS;
  if (own === undefined) return;
  if (own.CertResource === '') throw rejected(`TLS.SDS.CertResource is required if ClusterName is set (listener ${quote(listener.Name)})`);
  if (own.ClusterName === '' && (entry.TLS?.SDS?.ClusterName ?? '') === '') {
    throw rejected(`TLS.SDS.ClusterName is required if CertResource is set (listener ${quote(listener.Name)})`);
  }
}

function validateListener(listener: Listener): void {
  if (!PROTOCOLS.includes(listener.Protocol)) {
    throw rejected(`unsupported listener protocol ${quote(listener.Protocol)}, must be one of 'tcp', 'http', 'http2', or 'grpc'`);
  }
  if (listener.Protocol === 'tcp' && listener.Hostname !== '') throw rejected('hostname specification is not supported when using TCP');
  if (listener.Port <= 0 || listener.Port > 65_535) throw rejected(`listener port ${listener.Port} not in the range 1-65535`);
  if (listener.Hostname.replace(/^\*\./, '').includes('*')) {
    throw rejected(`host ${quote(listener.Hostname)} is not valid, a wildcard specifier is only allowed as the left-most label`);
  }
  for (const certificate of listener.TLS.Certificates) {
    if (!CERTIFICATE_KINDS.includes(certificate.Kind)) {
      throw rejected(`unsupported certificate kind: ${quote(certificate.Kind)}, must be 'file-system-certificate' or 'inline-certificate'`);
    }
    if (certificate.Name === '') throw rejected('certificate reference must have a name');
  }
  validateTlsParameters(listener.TLS.MinVersion, listener.TLS.MaxVersion, listener.TLS.CipherSuites);
}

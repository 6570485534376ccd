import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, int, kept, listOf, mapOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { headerModifiers } from './common.ts';
import { isDomainName, isHttpLike, validateMeta } from './meta.ts';
import { gatewayServiceTls, gatewayTls, validateTlsParameters } from './tls-parameters.ts';
import { passiveHealth } from './upstream-config.ts';

const service = struct({
  Name: kept(text()),
  Hosts: kept(listOf(text())),
  TLS: pointer(gatewayServiceTls),
  RequestHeaders: pointer(headerModifiers),
  ResponseHeaders: pointer(headerModifiers),
  MaxConnections: int(),
  MaxPendingRequests: int(),
  MaxConcurrentRequests: int(),
  PassiveHealthCheck: pointer(passiveHealth),
  Meta: mapOf(text()),
});

const shape = struct({
  ...commonFields,
  TLS: gatewayTls,
  Listeners: kept(listOf(struct({ Port: kept(int()), Protocol: kept(text()), TLS: pointer(gatewayTls), Services: kept(listOf(service)) }))),
  Defaults: pointer(
    struct({
      MaxConnections: kept(int()),
      MaxPendingRequests: kept(int()),
      MaxConcurrentRequests: kept(int()),
      PassiveHealthCheck: pointer(passiveHealth),
    }),
  ),
});
export type IngressGateway = schema.Infer<typeof shape>;
type Listener = IngressGateway['Listeners'][number];
type IngressService = Listener['Services'][number];

export const ingressGateway = defineKind<IngressGateway>({
  kind: 'ingress-gateway',
  shape,
  normalise: (entry) => {
    for (const listener of entry.Listeners) listener.Protocol = listener.Protocol === '' ? 'tcp' : listener.Protocol.toLowerCase();
  },
  validate: (entry) => {
    validateMeta(entry.Meta);
    validateTls(entry.TLS);
    const ports = new Set<number>();
    for (const listener of entry.Listeners) {
      if (ports.has(listener.Port)) throw rejected(`port ${listener.Port} declared on two listeners`);
      ports.add(listener.Port);
      validateListener(entry, listener);
    }
  },
});

function validateListener(entry: IngressGateway, listener: Listener): void {
  const where = `(listener on port ${listener.Port})`;
  if (listener.Protocol !== 'tcp' && !isHttpLike(listener.Protocol)) {
    throw rejected(`protocol must be 'tcp', 'http', 'http2', or 'grpc'. '${listener.Protocol}' is an unsupported protocol`);
  }
  if (listener.Services.length === 0) throw rejected(`No service declared for listener with port ${listener.Port}`);
  if (!isHttpLike(listener.Protocol) && listener.Services.length > 1) {
    throw rejected(`Multiple services per listener are only supported for L7 protocols, 'http', 'grpc' and 'http2' ${where}`);
  }
  if (listener.TLS !== undefined) validateTls(listener.TLS);
  const hosts = new Set<string>();
  const names = new Set<string>();
  for (const item of listener.Services) {
    validateService(item, listener, where);
    if (names.has(item.Name)) throw rejected(`Service ${item.Name} cannot be added multiple times ${where}`);
    names.add(item.Name);
    validateSds(entry, listener, item);
    for (const host of item.Hosts) {
      if (hosts.has(host)) throw rejected(`Hosts must be unique within a specific listener ${where}`);
      hosts.add(host);
      validateHost(entry.TLS.Enabled, host);
    }
  }
}

function validateService(item: IngressService, listener: Listener, where: string): void {
  if (listener.Protocol === 'tcp') {
    for (const [side, modifiers] of [
      ['request', item.RequestHeaders],
      ['response', item.ResponseHeaders],
    ] as const) {
      if (modifiers === undefined) continue;
      throw rejected(
        `${side} headers only valid for http, http2 and grpc protocols (service ${quote(item.Name)} on listener on port ${listener.Port})`,
      );
    }
    if (item.Name === '*') throw rejected(`Wildcard service name is only valid for protocol = 'http' ${where}`);
    if (item.Hosts.length > 0)
      throw rejected(`Associating hosts to a service is not supported for the ${listener.Protocol} protocol ${where}`);
  }
  if (item.Name === '') throw rejected(`Service name cannot be blank ${where}`);
  if (item.Name === '*' && item.Hosts.length > 0) throw rejected(`Associating hosts to a wildcard service is not supported ${where}`);
}

function validateSds(entry: IngressGateway, listener: Listener, item: IngressService): void {
  const gateway = entry.TLS.SDS;
  const own = listener.TLS?.SDS;
  const hasGatewayCluster = (gateway?.ClusterName ?? '') !== '';
  const hasGatewayCert = (gateway?.CertResource ?? '') !== '';
  const hasCluster = (own?.ClusterName ?? '') !== '';
  const hasCert = (own?.CertResource ?? '') !== '';
  const where = `(listener on port ${listener.Port})`;
  if (!hasGatewayCluster && hasGatewayCert) throw rejected('TLS.SDS.ClusterName is required if CertResource is set');
  if (hasGatewayCluster && !hasGatewayCert && !hasCert)
    throw rejected(`TLS.SDS.CertResource is required if ClusterName is set for gateway ${where}`);
  if (hasCluster && !hasCert) throw rejected(`TLS.SDS.CertResource is required if ClusterName is set for listener ${where}`);
  if (hasCert && !hasCluster && !hasGatewayCluster) throw rejected(`TLS.SDS.ClusterName is required if CertResource is set ${where}`);
  const serviceSds = item.TLS?.SDS;
  if (serviceSds === undefined || serviceSds.CertResource === '') return;
  const place = `(service ${quote(item.Name)} on listener on port ${listener.Port})`;
  if (item.Hosts.length === 0) throw rejected(`A service specifying TLS.SDS.CertResource must have at least one item in Hosts ${place}`);
  if (serviceSds.ClusterName === '' && !hasCluster && !hasGatewayCluster)
    throw rejected(`TLS.SDS.ClusterName is required if CertResource is set ${place}`);
}

function validateHost(isTlsEnabled: boolean, host: string): void {
  if (host === '*') {
    if (isTlsEnabled) throw rejected("Host '*' is not allowed when TLS is enabled, all hosts must be valid DNS records to add as a DNSSAN");
    return;
  }
  if (!isDomainName(host)) throw rejected(`Host ${quote(host)} must be a valid DNS hostname`);
  if (host.replace(/^\*\./, '').includes('*'))
    throw rejected(`Host ${quote(host)} is not valid, a wildcard specifier is only allowed as the leftmost label`);
}

function validateTls(tls: IngressGateway['TLS']): void {
  validateTlsParameters(tls.TLSMinVersion, tls.TLSMaxVersion, tls.CipherSuites);
}

import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, int, kept, listOf, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';
import { resourceReference, status } from './resource-reference.ts';
import { validateTlsParameters } from './tls-parameters.ts';

const shape = struct({
  ...commonFields,
  Listeners: kept(
    listOf(
      struct({
        Name: kept(text()),
        Hostname: kept(text()),
        Port: kept(int()),
        Protocol: kept(text()),
        TLS: struct({
          Certificates: kept(listOf(resourceReference)),
          MaxVersion: kept(text()),
          MinVersion: kept(text()),
          CipherSuites: kept(listOf(text())),
        }),
      }),
    ),
  ),
  Status: status,
});
export type ApiGateway = schema.Infer<typeof shape>;
type Listener = ApiGateway['Listeners'][number];

const LISTENER_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
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
    if (entry.Listeners.length === 0) throw rejected('api gateway must have at least one listener');
    validateNames(entry.Listeners);
    validateSharedPorts(entry.Listeners);
    for (const listener of entry.Listeners) validateListener(listener);
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

function validateListener(listener: Listener): void {
  if (listener.Protocol !== 'http' && listener.Protocol !== 'tcp') {
    throw rejected(`unsupported listener protocol ${quote(listener.Protocol)}, must be one of 'tcp', or 'http'`);
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

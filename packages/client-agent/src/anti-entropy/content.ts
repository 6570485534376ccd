import { isDeepStrictEqual } from 'node:util';
import type { HealthCheck, NodeService, RegisterCheck, RegisterRequest, RegisterService } from '@lictor/protocol';

type RegisterServiceBody = NonNullable<RegisterRequest['Service']>;

/** A row as PUT /v1/catalog/register takes it. */
export function toRegisterService(service: NodeService): RegisterService {
  const { LocallyRegisteredAsSidecar: _local, Ports, Tags, TaggedAddresses, Meta, Locality, AI, ...rest } = service;
  const body: RegisterServiceBody = {
    ...rest,
    Tags: [...Tags],
    TaggedAddresses: TaggedAddresses === null ? null : { ...TaggedAddresses },
    // As Consul's catalog shows a service registered without any.
    Meta: Meta === null || Object.keys(Meta).length === 0 ? null : { ...Meta },
    Ports: [...(Ports ?? [])],
    Connect: { ...service.Connect },
    Namespace: '',
    Partition: '',
    CreateIndex: 0,
    ModifyIndex: 0,
  };
  if (Locality !== undefined) body.Locality = { ...Locality };
  if (AI !== undefined) body.AI = { ...AI };
  return body;
}

export function toRegisterCheck(check: HealthCheck): RegisterCheck {
  const { Definition: _shownOnly, ServiceTags, ...rest } = check;
  return { ...rest, ServiceTags: [...ServiceTags], Namespace: '', Partition: '', CreateIndex: 0, ModifyIndex: 0 };
}

/** Whether the catalog holds this very registration; what only the servers write does not count. */
export function isSameService(local: NodeService, remote: NodeService): boolean {
  return isDeepStrictEqual(serviceContent(local), serviceContent(remote));
}

export function isSameCheck(local: HealthCheck, remote: HealthCheck): boolean {
  return isDeepStrictEqual(checkContent(local), checkContent(remote));
}

const SERVER_WRITTEN = new Set(['CreateIndex', 'ModifyIndex', 'LocallyRegisteredAsSidecar']);

/** A catalog row may name its node; a local one has none. */
function serviceContent(service: NodeService & { readonly Node?: string }): unknown {
  const { Node: _ofRow, ...rest } = service;
  return content(rest);
}

function checkContent(check: HealthCheck): unknown {
  // The definition and tags of a check's service are filled in by whoever shows them.
  const { Definition: _shownOnly, ServiceTags: _ofService, ...rest } = check;
  return content(rest);
}

/** Null, empty and absent are the same on the way through the catalog. */
function content(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(content);
  if (typeof value !== 'object') return value === '' || value === 0 || value === false ? undefined : value;
  if (value === null) return undefined;
  const kept = Object.entries(value)
    .filter(([key]) => !SERVER_WRITTEN.has(key))
    .map(([key, member]) => [key, content(member)] as const)
    .filter(([, member]) => member !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

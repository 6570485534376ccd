import { DEFAULT_NAMESPACE, LictorError } from '@lictor/protocol';
import type { ApiRequest } from '../../request/api-request.ts';
import { badRequest } from '../../request/read-options.ts';

/** A service as intention endpoints take it: `name`, `ns/name`, `partition/ns/name`, `peer:p/name`. */
export interface NamedService {
  readonly name: string;
  readonly peer: string;
  /** With its peer, as the servers take it. */
  readonly qualified: string;
}

export function refuse(message: string): LictorError {
  return new LictorError('rejected', message);
}

/** A parameter that must be there exactly once. Consul answers 500 otherwise, and clients know it. */
export function onlyParameter(request: ApiRequest, name: string): string {
  const values = request.query.all(name);
  const [value] = values;
  if (value === undefined || values.length !== 1) throw refuse(`required query parameter '${name}' not set`);
  return value;
}

export function sourceAndDestination(
  request: ApiRequest,
  options: { readonly peers?: boolean; readonly notEmpty?: boolean } = {},
): { readonly source: NamedService; readonly destination: NamedService } {
  const source = onlyParameter(request, 'source');
  if (options.notEmpty && source === '') throw refuse("required query parameter 'source' not set");
  const destination = onlyParameter(request, 'destination');
  if (options.notEmpty && destination === '') throw refuse("required query parameter 'destination' not set");
  return {
    source: parseServiceName(source, 'source', 'Source', options.peers),
    destination: parseServiceName(destination, 'destination', 'Destination'),
  };
}

/** Namespaces and partitions other than the default are refused, as the open edition does. */
export function parseServiceName(input: string, parameter: string, field: string, allowPeer = false): NamedService {
  const invalid = (why: string): LictorError => refuse(`${parameter} ${JSON.stringify(input)} is invalid: ${why}`);
  if (input.startsWith('peer:') && !allowPeer) throw invalid('cannot specify a peer here');
  const parts = input.split('/');
  if (parts.length > 3) throw invalid("input can contain at most two '/'");
  const hasPeer = input.startsWith('peer:');
  const peer = hasPeer ? (parts.shift() ?? '').slice('peer:'.length) : '';
  const name = parts.pop();
  if (name === undefined) throw invalid('need to specify the service name as well');
  const namespace = parts.pop() ?? DEFAULT_NAMESPACE;
  const partition = parts.pop() ?? 'default';
  if (namespace.toLowerCase() !== DEFAULT_NAMESPACE && namespace !== '') {
    throw refuse(`Invalid ${field}NS ${JSON.stringify(namespace)}: Namespaces is a Consul Enterprise feature`);
  }
  if (partition.toLowerCase() !== 'default' && partition !== '') {
    throw badRequest(`Invalid ${field}Partition(${partition}): Partitions is a Consul Enterprise feature`);
  }
  return { name, peer, qualified: peer === '' ? name : `peer:${peer}/${name}` };
}

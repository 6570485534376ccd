import { DEFAULT_NAMESPACE, LictorError } from '@lictor/protocol';

/**
 * Namespaces and partitions other than `default` belong to Consul Enterprise.
 * @throws LictorError `invalid-argument`
 */
export function checkTenancy(fields: { readonly Namespace?: string; readonly Partition?: string }): void {
  if (!isDefault(fields.Namespace)) throw refuse('Namespace', 'Namespaces');
  if (!isDefault(fields.Partition)) throw refuse('Partition', 'Partitions');
}

function isDefault(value: string | undefined): boolean {
  return value === undefined || value === '' || value.toLowerCase() === DEFAULT_NAMESPACE;
}

/** Consul's open edition does not know the field; its words say whose it is. */
function refuse(field: string, plural: string): LictorError {
  return new LictorError(
    'invalid-argument',
    `Request decode failed: json: unknown field "${field}" - ${plural} are a Consul Enterprise feature`,
  );
}

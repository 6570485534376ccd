import { DEFAULT_NAMESPACE, LictorError } from '@lictor/protocol';

/**
 * Namespaces and partitions other than `default` belong to Consul Enterprise.
 * @throws LictorError `invalid-argument`
 */
export function checkTenancy(fields: { readonly Namespace?: string; readonly Partition?: string }): void {
  if (!isDefault(fields.Namespace)) throw refuse('Namespace', 'Namespaces', fields.Namespace);
  if (!isDefault(fields.Partition)) throw refuse('Partition', 'Partitions', fields.Partition);
}

function isDefault(value: string | undefined): boolean {
  return value === undefined || value === '' || value.toLowerCase() === DEFAULT_NAMESPACE;
}

function refuse(field: string, plural: string, value: string | undefined): LictorError {
  return new LictorError('invalid-argument', `Invalid ${field}(${value ?? ''}): ${plural} is a Consul Enterprise feature`);
}

import { formatDuration, type ServiceDefinition } from '@lictor/protocol';
import type { ServiceRegistration } from '@lictor/sdk';

/** Members whose content is the user's, sent as it is. */
const OPAQUE = new Set(['Config', 'Meta', 'Header', 'Weights', 'Locality', 'AI', 'H2PingUseTLS']);
/** ms here, Go texts in the API. */
const DURATIONS = new Set(['Interval', 'Timeout', 'TTL', 'DeregisterCriticalServiceAfter']);

/** A definition as PUT /v1/agent/service/register takes it: only what is set. */
export function toRegistration(definition: ServiceDefinition): ServiceRegistration {
  return { ...(prune(definition) as ServiceRegistration), Name: definition.Name };
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const converted = convert(key, member as unknown);
    if (!isZero(key, converted)) kept[key] = converted;
  }
  return kept;
}

function convert(key: string, member: unknown): unknown {
  if (DURATIONS.has(key) && typeof member === 'number') return member === 0 ? '' : formatDuration(member);
  return OPAQUE.has(key) ? member : prune(member);
}

/** `sidecar_service {}` asks for a sidecar with every default: empty, and yet something. */
function isZero(key: string, value: unknown): boolean {
  if (key === 'SidecarService') return value === undefined;
  if (value === undefined || value === null || value === '' || value === 0) return true;
  if (value === false) return !OPAQUE.has(key);
  return typeof value === 'object' && Object.keys(value).length === 0;
}

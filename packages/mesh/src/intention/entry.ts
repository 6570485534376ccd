import { createHash } from 'node:crypto';
import { type ConfigEntry, DEFAULT_NAMESPACE, decode, type Intention } from '@lictor/protocol';
import { contentHash } from '../content-hash.ts';
import { rejected } from '../problems.ts';
import { type IntentionSourceFields, type ServiceIntentions, serviceIntentionsShape } from './entry-shape.ts';
import { type IntentionWriteMode, normaliseSources, validateIntentionsEntry } from './validate-entry.ts';

/** A `service-intentions` entry in its complete form, ready to edit: everything belongs to the caller. */
export function decodeIntentionsEntry(entry: ConfigEntry): ServiceIntentions {
  return decode(serviceIntentionsShape, entry);
}

/** An entry without sources, for the first intention of a destination. */
export function createIntentionsEntry(destination: string): ServiceIntentions {
  return decode(serviceIntentionsShape, { Kind: 'service-intentions', Name: destination });
}

/**
 * Normalises and validates an edited entry and brings it into its stored form, indexes 0. A `config-entry` write takes the legacy ids off
 * all sources of the entry, as Consul does.
 * @throws LictorError `rejected`
 */
export function encodeIntentionsEntry(entry: ServiceIntentions, mode: IntentionWriteMode): ConfigEntry {
  normaliseSources(entry, mode);
  validateIntentionsEntry(entry, mode);
  const fields = { ...(serviceIntentionsShape.encodeKept(entry) as Record<string, unknown>) };
  for (const field of ['Hash', 'CreateIndex', 'ModifyIndex']) delete fields[field];
  const content = { ...fields, Kind: 'service-intentions' as const, Name: entry.Name };
  return { ...content, Hash: contentHash(content), CreateIndex: 0, ModifyIndex: 0 };
}

/**
 * The id endpoints only edit entries that they made themselves.
 * @throws LictorError `rejected` when a source or the entry itself belongs to the newer API
 */
export function checkLegacyEditAllowed(entry: ServiceIntentions): void {
  if (entry.Sources.every((source) => source.LegacyID !== '')) return;
  const name = JSON.stringify(entry.Name);
  throw rejected(
    `cannot use legacy intention API to edit intentions with a destination of ${name} after editing them via a service-intentions config entry`,
  );
}

/** Replaces the source of the same name and peer, or adds it behind the others. In place. */
export function upsertSource(entry: ServiceIntentions, source: IntentionSourceFields): void {
  const index = entry.Sources.findIndex((candidate) => candidate.Name === source.Name && candidate.Peer === source.Peer);
  if (index === -1) entry.Sources.push(source);
  else entry.Sources[index] = source;
}

/** False when there is no such source. In place. */
export function deleteSource(entry: ServiceIntentions, name: string, peer = ''): boolean {
  const kept = entry.Sources.filter((source) => source.Name !== name || source.Peer !== peer);
  const found = kept.length < entry.Sources.length;
  entry.Sources = kept;
  return found;
}

/** Replaces the source with that legacy id, keeping its creation time. False when there is none. In place. */
export function updateSourceById(entry: ServiceIntentions, id: string, source: IntentionSourceFields): boolean {
  const index = entry.Sources.findIndex((candidate) => candidate.LegacyID === id);
  const previous = entry.Sources[index];
  if (previous === undefined) return false;
  const created = previous.LegacyCreateTime;
  entry.Sources[index] = created === undefined ? source : { ...source, LegacyCreateTime: created };
  return true;
}

export function deleteSourceById(entry: ServiceIntentions, id: string): boolean {
  const kept = entry.Sources.filter((source) => source.LegacyID !== id);
  const found = kept.length < entry.Sources.length;
  entry.Sources = kept;
  return found;
}

/** The intentions of an entry, one per source. */
export function intentionsOfEntry(entry: ConfigEntry): Intention[] {
  const sources = Array.isArray(entry.Sources) ? (entry.Sources as readonly Partial<IntentionSourceFields>[]) : [];
  return sources.map((source) => toIntention(entry, source));
}

function toIntention(entry: ConfigEntry, source: Partial<IntentionSourceFields>): Intention {
  const id = source.LegacyID ?? '';
  const intention: Intention = {
    ID: id,
    Description: source.Description ?? '',
    SourceNS: DEFAULT_NAMESPACE,
    SourceName: source.Name ?? '',
    ...(source.Peer && { SourcePeer: source.Peer }),
    DestinationNS: DEFAULT_NAMESPACE,
    DestinationName: entry.Name,
    SourceType: source.Type ?? 'consul',
    ...((source.Action === 'allow' || source.Action === 'deny') && { Action: source.Action }),
    ...(source.Permissions !== undefined && source.Permissions.length > 0 && { Permissions: source.Permissions }),
    ...(entry.JWT !== undefined && { JWT: entry.JWT as NonNullable<Intention['JWT']> }),
    Meta: (id === '' ? entry.Meta : source.LegacyMeta) ?? {},
    Precedence: source.Precedence ?? 0,
    CreatedAt: source.LegacyCreateTime ?? '',
    UpdatedAt: source.LegacyUpdateTime ?? '',
    CreateIndex: entry.CreateIndex,
    ModifyIndex: entry.ModifyIndex,
  };
  return id === '' ? intention : { ...intention, Hash: legacyHash(intention) };
}

/** Opaque to clients; only intentions with ids carry one. */
function legacyHash(intention: Intention): string {
  const meta = Object.entries(intention.Meta).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const fields = [
    intention.ID,
    intention.Description,
    intention.SourceName,
    intention.DestinationName,
    intention.SourceType,
    intention.Action ?? '',
    String(intention.Precedence),
    ...meta.flat(),
  ];
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64');
}

import type { RaftIndex } from './common.ts';

export const CONFIG_ENTRY_KINDS = [
  'service-defaults',
  'proxy-defaults',
  'service-router',
  'service-splitter',
  'service-resolver',
  'service-intentions',
  'mesh',
  'ingress-gateway',
  'terminating-gateway',
  'exported-services',
  'api-gateway',
  'bound-api-gateway',
  'http-route',
  'tcp-route',
  'inline-certificate',
  'file-system-certificate',
  'jwt-provider',
] as const;
export type ConfigEntryKind = (typeof CONFIG_ENTRY_KINDS)[number];

/**
 * Central configuration, one document per (Kind, Name), normalised and validated by `mesh` before it is proposed.
 * Kind-specific fields lie beside the common ones, CamelCase, as the API shows them.
 */
export interface ConfigEntry extends RaftIndex {
  readonly Kind: ConfigEntryKind;
  readonly Name: string;
  readonly Meta?: Readonly<Record<string, string>>;
  /** Content hash, uint64 in JSON: what skips writes that change nothing. */
  readonly Hash?: number;
  readonly [field: string]: unknown;
}

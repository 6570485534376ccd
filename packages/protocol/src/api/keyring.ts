import { type Infer, object, string } from '../schema/index.ts';

/** Body of POST, PUT and DELETE /v1/operator/keyring. */
export const keyringRequest = object({ Key: string() });
export type KeyringRequest = Infer<typeof keyringRequest>;

export const KEYRING_OPERATIONS = ['list', 'install', 'use', 'remove'] as const;
export type KeyringOperation = (typeof KEYRING_OPERATIONS)[number];

/** What the members of one gossip pool have answered. */
export interface KeyringReport {
  readonly WAN: boolean;
  readonly Datacenter: string;
  /** What went wrong, by member's name. */
  readonly Messages: Readonly<Record<string, string>>;
  /** Keys, base64, with the number of members that have them installed; of `list` only. */
  readonly Keys: Readonly<Record<string, number>>;
  /** …and that send with them. */
  readonly PrimaryKeys: Readonly<Record<string, number>>;
  readonly NumNodes: number;
  /** Empty: every member did what was asked. */
  readonly Error: string;
}

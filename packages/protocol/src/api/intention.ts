import { boolean, type Infer, integer, list, object, optional, record, string } from '../schema/index.ts';

const httpHeaderMatch = object({
  Name: string(),
  Present: boolean(),
  Exact: string(),
  Prefix: string(),
  Suffix: string(),
  Contains: string(),
  Regex: string(),
  Invert: boolean(),
  IgnoreCase: boolean(),
});
export type IntentionHeaderMatch = Infer<typeof httpHeaderMatch>;

const httpPermission = object({
  PathExact: string(),
  PathPrefix: string(),
  PathRegex: string(),
  Header: list(httpHeaderMatch),
  Methods: list(string()),
});
export type IntentionHttpPermission = Infer<typeof httpPermission>;

/** Any one of the providers must have verified the request's token, with all the claims it lists. */
export const intentionJwtRequirement = object({
  Providers: list(object({ Name: string(), VerifyClaims: list(object({ Path: list(string()), Value: string() })) })),
});
export type IntentionJwtRequirement = Infer<typeof intentionJwtRequirement>;

/** One L7 rule; rules are tried in order, the first match decides. */
export const intentionPermission = object({
  Action: string(),
  HTTP: optional(httpPermission),
  JWT: optional(intentionJwtRequirement),
});
export type IntentionPermission = Infer<typeof intentionPermission>;

/** One source of a `service-intentions` entry: Action xor Permissions. */
export const sourceIntention = object({
  Name: string(),
  Peer: string(),
  SamenessGroup: string(),
  Namespace: string(),
  Partition: string(),
  Action: string(),
  Permissions: list(intentionPermission),
  Precedence: integer(),
  Type: string(),
  Description: string(),
  LegacyID: string(),
  LegacyMeta: record(string()),
  /** RFC 3339, or absent. */
  LegacyCreateTime: optional(string()),
  LegacyUpdateTime: optional(string()),
});
export type SourceIntention = Infer<typeof sourceIntention>;

/**
 * An intention as the `/v1/connect/intentions` endpoints show it: one source and one destination, derived from a
 * `service-intentions` entry.
 */
export interface Intention {
  /** UUID, only for intentions made through the deprecated id endpoints. */
  readonly ID: string;
  readonly Description: string;
  readonly SourceNS: string;
  readonly SourceName: string;
  readonly SourcePeer?: string;
  readonly DestinationNS: string;
  readonly DestinationName: string;
  readonly SourceType: string;
  /** Absent when Permissions decide. */
  readonly Action?: 'allow' | 'deny';
  readonly Permissions?: readonly IntentionPermission[];
  /** Token that every request must carry, beside what Action or Permissions say. */
  readonly JWT?: IntentionJwtRequirement;
  readonly Meta: Readonly<Record<string, string>>;
  /** 9 exact to exact, 8 any to exact, 6 exact to any, 5 any to any. */
  readonly Precedence: number;
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
  readonly Hash?: string;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** Body of POST/PUT /v1/connect/intentions[/:id] and PUT /v1/connect/intentions/exact. */
export const intentionRequest = object({
  ID: string(),
  Description: string(),
  SourceNS: string(),
  SourceName: string(),
  SourcePartition: string(),
  SourcePeer: string(),
  DestinationNS: string(),
  DestinationName: string(),
  DestinationPartition: string(),
  SourceType: string(),
  Action: string(),
  Permissions: list(intentionPermission),
  Meta: record(string()),
  Precedence: integer(),
});
export type IntentionRequest = Infer<typeof intentionRequest>;

import type { Intention, IntentionPermission } from '@lictor/protocol';

/**
 * An intention as Consul's JSON shows it: in its order, empty fields left out (undefined). Times and an ID stand only on intentions
 * made through the deprecated id endpoints: the others have none.
 */
export function encodeIntention(intention: Intention): Readonly<Record<string, unknown>> {
  return {
    CreatedAt: intention.CreatedAt || undefined,
    UpdatedAt: intention.UpdatedAt || undefined,
    ID: intention.ID || undefined,
    Description: intention.Description || undefined,
    SourceNS: intention.SourceNS,
    SourceName: intention.SourceName,
    DestinationNS: intention.DestinationNS,
    DestinationName: intention.DestinationName,
    SourcePeer: intention.SourcePeer || undefined,
    SourceType: intention.SourceType,
    Action: intention.Action,
    Permissions: nonEmpty(intention.Permissions)?.map(encodePermission),
    Meta: Object.keys(intention.Meta).length === 0 ? undefined : intention.Meta,
    Precedence: intention.Precedence,
    Hash: intention.Hash || undefined,
    CreateIndex: intention.CreateIndex,
    ModifyIndex: intention.ModifyIndex,
  };
}

function encodePermission({ Action, HTTP, JWT }: IntentionPermission): object {
  return {
    Action,
    HTTP: HTTP && {
      PathExact: HTTP.PathExact || undefined,
      PathPrefix: HTTP.PathPrefix || undefined,
      PathRegex: HTTP.PathRegex || undefined,
      Header: nonEmpty(HTTP.Header)?.map(withoutZeros),
      Methods: nonEmpty(HTTP.Methods),
    },
    JWT: JWT && {
      Providers: nonEmpty(JWT.Providers)?.map((provider) => ({
        Name: provider.Name || undefined,
        VerifyClaims: nonEmpty(provider.VerifyClaims),
      })),
    },
  };
}

/** Drops empty strings and false. */
function withoutZeros(fields: Readonly<Record<string, string | boolean>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== false));
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

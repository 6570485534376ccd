import type { Intention, IntentionPermission } from '@lictor/protocol';
import { type LongView, sharedListView } from '../reply/views.ts';
import { nonEmpty, nonEmptyRecord } from './proxy.ts';

export const intentionsView: LongView<readonly Intention[]> = sharedListView(intentionJson);

/** Times only on intentions made through the deprecated id endpoints: the others have none. */
export function intentionJson(intention: Intention): object {
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
    Permissions:
      intention.Permissions === undefined || intention.Permissions.length === 0 ? undefined : intention.Permissions.map(permissionJson),
    Meta: nonEmptyRecord(intention.Meta),
    Precedence: intention.Precedence,
    Hash: intention.Hash || undefined,
    CreateIndex: intention.CreateIndex,
    ModifyIndex: intention.ModifyIndex,
  };
}

function permissionJson(permission: IntentionPermission): object {
  const { HTTP, JWT } = permission;
  return {
    Action: permission.Action,
    HTTP: HTTP && {
      PathExact: HTTP.PathExact || undefined,
      PathPrefix: HTTP.PathPrefix || undefined,
      PathRegex: HTTP.PathRegex || undefined,
      Header: nonEmpty(HTTP.Header)?.map(omitZero),
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
function omitZero(fields: Readonly<Record<string, string | boolean>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== false));
}

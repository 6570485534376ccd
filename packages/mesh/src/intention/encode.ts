import type { Intention } from '@lictor/protocol';

/** An intention as Consul's JSON shows it: empty fields left out. */
export function encodeIntention(intention: Intention): Record<string, unknown> {
  const { CreatedAt, UpdatedAt, ID, Description, SourcePeer, Permissions, Meta, Hash, ...rest } = intention;
  return {
    ...(CreatedAt !== '' && { CreatedAt }),
    ...(UpdatedAt !== '' && { UpdatedAt }),
    ...(ID !== '' && { ID }),
    ...(Description !== '' && { Description }),
    ...(SourcePeer && { SourcePeer }),
    ...(Permissions !== undefined && Permissions.length > 0 && { Permissions }),
    ...(Object.keys(Meta).length > 0 && { Meta }),
    ...(Hash && { Hash }),
    ...rest,
  };
}

import { RaftError } from './errors.ts';
import type { Membership, NodeId } from './entry.ts';

/** `voter` also promotes a learner; `learner` also demotes a voter. */
export interface MembershipChange {
  readonly id: NodeId;
  readonly to: 'voter' | 'learner' | 'none';
  /** `ip:port`; without it, the one known stays. */
  readonly address?: string;
}

export const EMPTY_MEMBERSHIP: Membership = { voters: [], outgoing: [], learners: [], demoted: [], addresses: {} };

/**
 * The membership that the log gets next for these changes. Changes among voters are joint, whatever their number: the bug of
 * single-server changes (Ongaro, raft-dev 2015) cannot arise. Changes among learners need no second phase.
 * @throws RaftError `invalid-membership`
 */
export function changeMembership(current: Membership, changes: readonly MembershipChange[]): Membership {
  if (isJoint(current)) throw new RaftError('membership-pending', 'a membership change is still under way');
  const voters = new Set(current.voters);
  const learners = new Set(current.learners);
  for (const { id, to } of changes) {
    if (id === '') throw new RaftError('invalid-membership', 'a server needs an id');
    voters.delete(id);
    learners.delete(id);
    if (to === 'voter') voters.add(id);
    if (to === 'learner') learners.add(id);
  }
  if (voters.size === 0) throw new RaftError('invalid-membership', 'no voter would remain');
  const sameVoters = voters.size === current.voters.length && current.voters.every((id) => voters.has(id));
  const addresses = addressesOf(current, changes);
  if (sameVoters) {
    const next = { ...EMPTY_MEMBERSHIP, voters: current.voters, learners: sorted(learners) };
    return { ...next, addresses: only(addresses, membersOf(next)) };
  }
  // A voter of the outgoing majority must not be a learner at the same time.
  const demoted = [...learners].filter((id) => current.voters.includes(id));
  const next = {
    voters: sorted(voters),
    outgoing: current.voters,
    learners: sorted([...learners].filter((id) => !demoted.includes(id))),
    demoted: sorted(demoted),
    addresses,
  };
  return { ...next, addresses: only(addresses, membersOf(next)) };
}

/** The second phase: the new majority alone. */
export function leaveJoint(joint: Membership): Membership {
  const next = { ...EMPTY_MEMBERSHIP, voters: joint.voters, learners: sorted([...joint.learners, ...joint.demoted]) };
  return { ...next, addresses: only(joint.addresses, membersOf(next)) };
}

function addressesOf(current: Membership, changes: readonly MembershipChange[]): Record<NodeId, string> {
  const addresses = new Map(Object.entries(current.addresses));
  for (const { id, address } of changes) if (address !== undefined) addresses.set(id, address);
  // Unlike an assignment this makes `__proto__` a key like any other.
  return Object.fromEntries(addresses);
}

function only(addresses: Readonly<Record<NodeId, string>>, ids: readonly NodeId[]): Record<NodeId, string> {
  return Object.fromEntries(ids.flatMap((id) => (Object.hasOwn(addresses, id) ? [[id, addresses[id] ?? '']] : [])));
}

export function isJoint(membership: Membership): boolean {
  return membership.outgoing.length > 0;
}

/** Whose vote counts. */
export function isVoter({ voters, outgoing }: Membership, id: NodeId): boolean {
  return voters.includes(id) || outgoing.includes(id);
}

/** Nobody else can lead, and nobody else is needed for it. */
export function isSoleVoter({ voters, outgoing }: Membership, id: NodeId): boolean {
  return outgoing.length === 0 && voters.length === 1 && voters[0] === id;
}

/** Everybody who gets the log, sorted. */
export function membersOf({ voters, outgoing, learners, demoted }: Membership): readonly NodeId[] {
  return sorted(new Set([...voters, ...outgoing, ...learners, ...demoted]));
}

export function encodeMembership(membership: Membership): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(membership));
}

/** @throws RaftError `corrupt` */
export function decodeMembership(bytes: Uint8Array): Membership {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isMembership(value)) {
      const { voters, outgoing, learners, demoted, addresses } = value;
      return { voters, outgoing, learners, demoted, addresses };
    }
  } catch {
    // Said below.
  }
  throw new RaftError('corrupt', 'a membership entry cannot be read');
}

function isMembership(value: unknown): value is Membership {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return ['voters', 'outgoing', 'learners', 'demoted'].every((name) => isIdList(fields[name])) && isAddressMap(fields['addresses']);
}

function isAddressMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((address) => typeof address === 'string');
}

function isIdList(value: unknown): value is NodeId[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string' && id !== '');
}

function sorted(ids: Iterable<NodeId>): NodeId[] {
  return [...ids].sort();
}

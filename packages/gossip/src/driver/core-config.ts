import type { Random } from '@lictor/protocol';
import { GossipError } from '../errors.ts';
import type { SerfOptions, SerfPorts } from '../serf/index.ts';
import { type Address, type AliveMessage, PROTOCOL_VERSIONS } from '../swim/index.ts';
import { isAddress, PACKET_HEAD_BYTES, sizeOfPart } from '../wire/index.ts';
import { parseAddress } from './address.ts';
import type { AllowList } from './allow-list.ts';
import type { PoolOptions } from './options.ts';

const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];

/** `overhead`: bytes around the messages of a datagram. @throws GossipError `invalid` (advertised address) */
export function coreOptions(options: PoolOptions, bound: Address, overhead: number): SerfOptions {
  const { profile, name, id, tags = {}, ignoresOldEvents = false, resolvesNameConflicts = false } = options;
  const packetBytes = profile.packetBytes - overhead - PACKET_HEAD_BYTES;
  const address = advertised(options.advertise, bound);
  return { ...profile, name, id, tags, address, versions: PROTOCOL_VERSIONS, ignoresOldEvents, resolvesNameConflicts, packetBytes };
}

export function corePorts({ admits, matchesPattern }: PoolOptions, allowed: AllowList, random: Random): SerfPorts {
  const reasonAgainst = ({ node, id, address, tags, versions }: Omit<AliveMessage, 'type'>): string | undefined => {
    if (!allowed.allowsAddress(address)) return `Member '${node}' has an address outside the allowed networks: ${address}`;
    return admits?.({ name: node, id, address, tags, protocolVersion: versions.current });
  };
  return {
    random,
    sizeOf: sizeOfPart,
    accepts: reasonAgainst,
    refusesMerge: (members) => {
      for (const record of members) {
        const reason = record.state === 'alive' ? reasonAgainst(record) : undefined;
        if (reason !== undefined) return reason;
      }
      return undefined;
    },
    ...(matchesPattern === undefined ? {} : { matchesPattern }),
  };
}

function advertised(advertise: string | undefined, bound: Address): Address {
  const address = advertise ?? bound;
  if (!isAddress(address)) throw new GossipError('invalid', `advertised address must be an IP address and a port: ${address}`);
  const { host } = parseAddress(address, 1);
  if (WILDCARDS.includes(host))
    throw new GossipError('invalid', `Advertise address cannot be ${host}: say at which one of its addresses others reach this member`);
  return address;
}

import { configEntriesTable, configEntryKey } from '../../state/tables/config-entries.ts';
import { foldName } from '../../state/tables/keys.ts';
import { servicesTable } from '../../state/tables/services.ts';
import { FREE_VIRTUAL_IP_PREFIX, freeVirtualIpsTable, VIRTUAL_IP_COUNTER_KEY, virtualIpsTable } from '../../state/tables/virtual-ips.ts';
import type { StateReader, StateTxn } from '../../state/types.ts';
import { CommandFailure } from '../types.ts';

/** 240.0.0.0/4: reserved, so never a real address. */
const FIRST_OCTET = 240;
const MAX_OFFSET = 2 ** 28 - 1;

/** Entries of these kinds keep the virtual IP of the service that they are about, with or without instances. */
const HOLDING_KINDS = ['service-defaults', 'service-resolver', 'service-router', 'service-splitter', 'service-intentions'] as const;

/** Whether an entry gives its service a virtual IP. */
export function holdsVirtualIp(kind: string, name: string): boolean {
  const isHolding = (HOLDING_KINDS as readonly string[]).includes(kind);
  return isHolding && name !== '' && !(kind === 'service-intentions' && name.includes('*'));
}

/** The service's address, chosen now if it has none: the lowest that was given back, or the next one. */
export function assignVirtualIp(txn: StateTxn, service: string): string | CommandFailure {
  const held = txn.get(virtualIpsTable, foldName(service));
  if (held !== undefined) return formatVirtualIp(held.Offset);
  const offset = takeOffset(txn);
  if (offset === undefined) return new CommandFailure('rejected', 'cannot allocate any more unique service virtual IPs');
  txn.put(virtualIpsTable, { Service: service, Offset: offset, CreateIndex: 0, ModifyIndex: 0 });
  return formatVirtualIp(offset);
}

function takeOffset(txn: StateTxn): number | undefined {
  for (const free of txn.scan(freeVirtualIpsTable, FREE_VIRTUAL_IP_PREFIX)) {
    txn.remove(freeVirtualIpsTable, freeVirtualIpsTable.key(free));
    return free.Offset;
  }
  const offset = (txn.get(freeVirtualIpsTable, VIRTUAL_IP_COUNTER_KEY)?.Offset ?? 0) + 1;
  if (offset >= MAX_OFFSET) return undefined;
  txn.put(freeVirtualIpsTable, { Offset: offset, IsCounter: true, CreateIndex: 0, ModifyIndex: 0 });
  return offset;
}

/**
 * Gives the address back once nothing stands for the service any more. Consul forgets the proxies here and may hand the address
 * of a proxied service to another one.
 */
export function releaseVirtualIp(txn: StateTxn, service: string): void {
  const held = txn.get(virtualIpsTable, foldName(service));
  if (held === undefined || isInUse(txn, service)) return;
  txn.remove(virtualIpsTable, foldName(service));
  txn.put(freeVirtualIpsTable, { Offset: held.Offset, IsCounter: false, CreateIndex: 0, ModifyIndex: 0 });
}

function isInUse(reader: StateReader, service: string): boolean {
  const name = foldName(service);
  for (const _ of reader.find(servicesTable, 'service', name)) return true;
  for (const _ of reader.find(servicesTable, 'connect', name)) return true;
  return HOLDING_KINDS.some((kind) => reader.get(configEntriesTable, configEntryKey(kind, service)) !== undefined);
}

/** The address as text, or undefined for a service without one. */
export function virtualIpOf(reader: StateReader, service: string): string | undefined {
  const held = reader.get(virtualIpsTable, foldName(service));
  return held === undefined ? undefined : formatVirtualIp(held.Offset);
}

function formatVirtualIp(offset: number): string {
  return `${FIRST_OCTET + (offset >>> 24)}.${(offset >>> 16) & 0xff}.${(offset >>> 8) & 0xff}.${offset & 0xff}`;
}

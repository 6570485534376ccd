import type { ManualIpsReply } from '@lictor/protocol';
import { foldName } from '../../state/tables/keys.ts';
import { virtualIpsTable } from '../../state/tables/virtual-ips.ts';
import type { StateTxn } from '../../state/types.ts';
import { isObject } from '../catalog/shapes.ts';
import { sameValue } from '../catalog/same-content.ts';
import { total } from '../catalog/total.ts';
import type { CommandHandlers } from '../types.ts';

export const VIRTUAL_IP_ASSIGN_MANUAL = 'virtual-ip.assign-manual';

export interface AssignManualIpsBody {
  readonly service: string;
  /** Distinct, in order. */
  readonly addresses: readonly string[];
}

export const virtualIpCommands = {
  [VIRTUAL_IP_ASSIGN_MANUAL]: total(VIRTUAL_IP_ASSIGN_MANUAL, isAssignBody, applyAssign),
} satisfies CommandHandlers;

/** Replaces the service's addresses. A service without a virtual IP changes nothing, so no other one loses an address to it. */
function applyAssign(txn: StateTxn, { service, addresses }: AssignManualIpsBody): ManualIpsReply {
  const row = txn.get(virtualIpsTable, foldName(service));
  if (row === undefined) return { found: false, unassignedFrom: [] };
  const unassignedFrom = new Set<string>();
  for (const address of addresses) {
    for (const other of txn.find(virtualIpsTable, 'manual', address)) {
      if (other.Service === row.Service) continue;
      txn.put(virtualIpsTable, { ...other, ManualIps: (other.ManualIps ?? []).filter((kept) => kept !== address) });
      unassignedFrom.add(other.Service);
    }
  }
  if (!sameValue(row.ManualIps ?? [], addresses)) txn.put(virtualIpsTable, { ...row, ManualIps: [...addresses] });
  return { found: true, unassignedFrom: [...unassignedFrom].sort() };
}

function isAssignBody(value: unknown): value is AssignManualIpsBody {
  if (!isObject(value) || typeof value.service !== 'string' || !Array.isArray(value.addresses)) return false;
  return value.addresses.every((address) => typeof address === 'string');
}

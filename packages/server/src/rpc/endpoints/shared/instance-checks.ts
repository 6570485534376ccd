import type { HealthCheck } from '@lictor/protocol';
import { checkGroupKey, checkGroupsTable, checkKey, checksTable } from '../../../state/tables/checks.ts';
import type { StateReader } from '../../../state/types.ts';

/** Reads the checks that bear on instances; those of a node are read once for all of its instances. */
export function createCheckLookup(reader: StateReader): (node: string, serviceId: string) => readonly HealthCheck[] {
  const byNode = new Map<string, readonly HealthCheck[]>();
  return (node, serviceId) => {
    let ofNode = byNode.get(node);
    if (ofNode === undefined) {
      ofNode = readGroup(reader, node, '');
      byNode.set(node, ofNode);
    }
    const ofService = readGroup(reader, node, serviceId);
    if (ofService.length === 0) return ofNode;
    return ofNode.length === 0 ? ofService : [...ofNode, ...ofService];
  };
}

function readGroup(reader: StateReader, node: string, serviceId: string): readonly HealthCheck[] {
  const group = reader.get(checkGroupsTable, checkGroupKey(node, serviceId));
  if (group === undefined || group.CheckIDs.length === 0) return NO_CHECKS;
  const checks: HealthCheck[] = [];
  for (const checkId of group.CheckIDs) {
    const check = reader.get(checksTable, checkKey(node, checkId));
    if (check !== undefined) checks.push(check);
  }
  return checks;
}

const NO_CHECKS: readonly HealthCheck[] = Object.freeze([]);

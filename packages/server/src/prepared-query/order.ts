import type { CheckServiceNode, PreparedQueryExecuteRequest } from '@lictor/protocol';
import { sortByDistance } from '../rpc/endpoints/shared/near.ts';
import { nodesTable } from '../state/tables/nodes.ts';
import { foldAddress } from '../state/tables/keys.ts';
import type { StateReader } from '../state/types.ts';

/** The node that is looked for among the nearest, as Consul does: it is not further down where distances are known. */
const NEAREST = 10;

/**
 * The node that distances are measured from: what the caller asked for, else what the query says. The magic names stand for the agent that
 * asks, and for the node at the caller's address. Empty: there is none, or none of this datacenter.
 */
export function originOf(reader: StateReader, queryNear: string, { near, ip, agent }: PreparedQueryExecuteRequest, here: string): string {
  const wanted = near === '' ? queryNear : near;
  if (wanted === '_agent') return agent.datacenter === here ? agent.node : '';
  return wanted === '_ip' ? nodeAt(reader, ip) : wanted;
}

function nodeAt(reader: StateReader, ip: string): string {
  if (ip === '') return '';
  for (const node of reader.find(nodesTable, 'address', foldAddress(ip))) return node.Node;
  return '';
}

/** Nearest first, as far as distances are known; what they do not decide stays as it was. */
export function nearestFirst(reader: StateReader, node: string, nodes: CheckServiceNode[]): CheckServiceNode[] {
  if (node === '') return nodes;
  const sorted = [...sortByDistance(reader, node, nodes, (instance) => instance.Node.Node)];
  const own = sorted.slice(0, NEAREST).findIndex((instance) => instance.Node.Node.toLowerCase() === node.toLowerCase());
  if (own > 0) swap(sorted, 0, own);
  return sorted;
}

function swap<Item>(items: Item[], left: number, right: number): void {
  [items[left], items[right]] = [items[right] as Item, items[left] as Item];
}

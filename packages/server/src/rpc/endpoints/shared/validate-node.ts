import { LictorError } from '@lictor/protocol';
import { assertUuid } from './uuid.ts';

/**
 * What the catalog refuses of a node, in Consul's order and words, on every way to write it.
 * @throws LictorError `rejected`
 */
export function assertNode(node: { readonly Node: string; readonly ID: string }): void {
  if (node.Node === '') throw new LictorError('rejected', 'Must provide node');
  if (node.ID !== '') assertUuid(node.ID, 'Bad node ID: ');
}

import type { Node } from './member-table.ts';
import type { DeadMessage, SuspectMessage } from './message.ts';
import type { SwimState } from './state.ts';

/** The buddy system (Lifeguard IV-C): who meets a member that is in danger tells it before anything else. */
export function warningFor(state: SwimState, node: Node): (SuspectMessage | DeadMessage)[] {
  const { name, incarnation } = node;
  if (!state.options.buddy || node.state === 'alive') return [];
  if (node.state === 'suspect') return [{ type: 'suspect', node: name, incarnation, from: state.self.name }];
  return [{ type: 'dead', node: name, incarnation, from: node.state === 'left' ? name : state.self.name }];
}

import type { Intention } from '@lictor/protocol';

export type Verdict = 'allow' | 'deny';

/** Who asks: a service of this cluster, or of a peer. */
export interface IntentionSource {
  readonly name: string;
  /** Name of the peer that the source comes from; absent or empty for this cluster. */
  readonly peer?: string;
}

/** Where the verdict came from: no rule, a rule's action, a rule's permissions, or an error while evaluating (which always denies). */
export type DecisionLayer = 'default' | 'L4' | 'L7' | 'error';

/** The answer to "may A talk to B", with everything needed to explain it. */
export interface Decision {
  readonly verdict: Verdict;
  readonly layer: DecisionLayer;
  readonly source: IntentionSource;
  readonly destination: string;
  /** `destination/source` of the rule (with `peer(x)/` before a peer's source), or its legacy id. */
  readonly ruleId?: string;
  readonly precedence?: number;
  /** Position of the L7 permission that matched. */
  readonly permissionIndex?: number;
  /** What the verdict would be without audit mode. */
  readonly shadowVerdict?: Verdict;
  /** In Consul's words where it has some. */
  readonly reason: string;
}

/** `default/web => default/socat (ID: …, Precedence: 9, Action: ALLOW)`, as Consul prints an intention in reasons. */
export function describeIntention(intention: Intention): string {
  const peer = intention.SourcePeer ? `peer(${intention.SourcePeer})/` : '';
  const id = intention.ID === '' ? '' : `ID: ${intention.ID}, `;
  const count = intention.Permissions?.length ?? 0;
  const detail = count > 0 ? `Permissions: ${count}` : `Action: ${(intention.Action ?? '').toUpperCase()}`;
  const from = `${peer}${intention.SourceNS}/${intention.SourceName}`;
  const to = `${intention.DestinationNS}/${intention.DestinationName}`;
  return `${from} => ${to} (${id}Precedence: ${intention.Precedence}, ${detail})`;
}

export function ruleIdOf(intention: Intention): string {
  if (intention.ID !== '') return intention.ID;
  const peer = intention.SourcePeer ? `peer(${intention.SourcePeer})/` : '';
  return `${intention.DestinationName}/${peer}${intention.SourceName}`;
}

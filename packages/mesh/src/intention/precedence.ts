import { type Intention, WILDCARD } from '@lictor/protocol';

/** 9 exact to exact, 8 any to exact, 6 exact to any, 5 any to any (consul-facts 5, intention model). */
export function intentionPrecedence(source: string, destination: string): number {
  const highest = destination === WILDCARD ? 6 : 9;
  return source === WILDCARD ? highest - 1 : highest;
}

/** Highest precedence first; among equals by peer, source and destination, as Consul lists them. */
export function compareIntentions(a: Intention, b: Intention): number {
  if (a.Precedence !== b.Precedence) return b.Precedence - a.Precedence;
  return (
    compareText(a.SourcePeer ?? '', b.SourcePeer ?? '') ||
    compareText(a.SourceName, b.SourceName) ||
    compareText(a.DestinationName, b.DestinationName)
  );
}

export function sortIntentions(intentions: readonly Intention[]): Intention[] {
  return intentions.toSorted(compareIntentions);
}

/** The intentions that bear on a name as source or as destination, highest precedence first. */
export function matchIntentions(intentions: readonly Intention[], by: 'source' | 'destination', name: string): Intention[] {
  const matching = intentions.filter((intention) => {
    const own = by === 'source' ? intention.SourceName : intention.DestinationName;
    if (by === 'source' && (intention.SourcePeer ?? '') !== '') return false;
    return own === name || own === WILDCARD;
  });
  return sortIntentions(matching);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

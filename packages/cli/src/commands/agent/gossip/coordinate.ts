import type { Coordinate as GossipCoordinate } from '@lictor/gossip';
import type { Coordinate } from '@lictor/protocol';

export function toApiCoordinate({ vec, error, adjustment, height }: GossipCoordinate): Coordinate {
  return { Vec: [...vec], Error: error, Adjustment: adjustment, Height: height };
}

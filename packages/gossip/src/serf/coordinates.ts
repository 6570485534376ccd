import type { Random } from '@lictor/protocol';
import type { Coordinate } from '../types.ts';
import { decodeCoordinate, encodeCoordinate } from '../wire/serf-codec.ts';
import { Vivaldi } from './vivaldi.ts';

/** This member's coordinate, and those that others have sent with their acks. */
export class Coordinates {
  readonly #vivaldi: Vivaldi;
  readonly #others = new Map<string, Coordinate>();
  /** Coordinates of peers that could not be. */
  rejected = 0;

  constructor(random: Random) {
    this.#vivaldi = new Vivaldi(random);
  }

  get own(): Coordinate {
    return this.#vivaldi.coordinate;
  }

  get resets(): number {
    return this.#vivaldi.resets;
  }

  of(node: string): Coordinate | undefined {
    return this.#others.get(node);
  }

  payload(): Uint8Array {
    return encodeCoordinate(this.own);
  }

  measured(node: string, rttMs: number, payload: Uint8Array): void {
    if (payload.length === 0) return;
    const other = decodeCoordinate(payload);
    if (other === undefined || !this.#vivaldi.update(node, other, rttMs / 1000)) this.rejected++;
    else this.#others.set(node, other);
  }

  forget(node: string): void {
    this.#others.delete(node);
    this.#vivaldi.forget(node);
  }
}

import type { AuthenticatedPeer } from '../identity/authenticate.ts';

/** An open stream through this proxy, in either direction. */
export interface OpenStream {
  readonly direction: 'inbound' | 'upstream';
  readonly peer: AuthenticatedPeer;
  /** Wall-clock time at which the peer's certificate was checked. */
  readonly authenticatedMs: number;
  /** Ends the stream at once; the reason goes to the log and, over a tunnel, to the peer. */
  close(reason: string): void;
}

export interface ClosedGroup {
  readonly direction: OpenStream['direction'];
  readonly peerUri: string;
  readonly reason: string;
  readonly count: number;
}

/** Every open stream by the peer's identity, so that a changed rule finds the connections that it bears on. */
export class StreamRegistry {
  readonly #byPeer = new Map<string, Set<OpenStream>>();
  #size = 0;
  #onEmpty: (() => void)[] = [];

  get size(): number {
    return this.#size;
  }

  add(stream: OpenStream): void {
    const key = keyOf(stream);
    const streams = this.#byPeer.get(key);
    if (streams === undefined) this.#byPeer.set(key, new Set([stream]));
    else streams.add(stream);
    this.#size++;
  }

  /** Idempotent. */
  remove(stream: OpenStream): void {
    const key = keyOf(stream);
    const streams = this.#byPeer.get(key);
    if (streams === undefined || !streams.delete(stream)) return;
    if (streams.size === 0) this.#byPeer.delete(key);
    this.#size--;
    if (this.#size > 0) return;
    const waiting = this.#onEmpty;
    this.#onEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /** Asks once per certificate, however many streams it has open; an answer closes them all with that reason. */
  closeWhere(reasonToClose: (stream: OpenStream) => string | undefined): readonly ClosedGroup[] {
    const closed: ClosedGroup[] = [];
    for (const streams of this.#byPeer.values()) {
      const [first] = streams;
      const reason = first === undefined ? undefined : reasonToClose(first);
      if (first === undefined || reason === undefined) continue;
      closed.push({ direction: first.direction, peerUri: first.peer.uri, reason, count: streams.size });
      for (const stream of streams) stream.close(reason);
    }
    return closed;
  }

  closeAll(reason: string): void {
    for (const streams of this.#byPeer.values()) for (const stream of streams) stream.close(reason);
  }

  /** Resolves once no stream is open. */
  whenEmpty(): Promise<void> {
    if (this.#size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }
}

function keyOf(stream: OpenStream): string {
  return `${stream.direction} ${stream.peer.uri} ${stream.peer.serial}`;
}

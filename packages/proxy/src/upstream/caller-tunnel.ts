import type { TLSSocket } from 'node:tls';
import type { Clock } from '@lictor/protocol';
import type { AuthenticatedPeer } from '../identity/authenticate.ts';
import { TunnelConnection } from '../tunnel/connection.ts';
import { REFUSAL, type Refusal } from '../tunnel/frame.ts';
import type { TunnelStream } from '../tunnel/stream.ts';

/** What the tunnel's owner, the pool, is told. */
export interface CallerTunnelOwner {
  idle(tunnel: CallerTunnel): void;
  closed(tunnel: CallerTunnel): void;
}

export interface OpenAnswer {
  onAccepted(): void;
  onRefused(refusal: Refusal): void;
}

/** The caller's side of one tunnel. */
export class CallerTunnel {
  readonly key: string;
  readonly peer: AuthenticatedPeer;
  /** Wall-clock time of the handshake. */
  readonly authenticatedMs: number;
  /** Of the credentials that it was made with. */
  readonly generation: number;
  readonly #connection: TunnelConnection;
  readonly #clock: Clock;
  #pending: OpenAnswer | undefined;

  constructor(socket: TLSSocket, key: string, peer: AuthenticatedPeer, generation: number, owner: CallerTunnelOwner, clock: Clock) {
    this.key = key;
    this.peer = peer;
    this.generation = generation;
    this.#clock = clock;
    this.authenticatedMs = clock.now();
    this.#connection = new TunnelConnection(
      socket,
      'caller',
      {
        onAccept: () => this.#take()?.onAccepted(),
        onRefuse: (refusal) => this.#take()?.onRefused(refusal),
        onIdle: () => owner.idle(this),
        onRetire: () => {
          if (this.#connection.isIdle) this.#connection.end();
        },
        onClosed: (error) => {
          owner.closed(this);
          this.#take()?.onRefused({ code: REFUSAL.stale, reason: error?.message ?? 'tunnel closed by peer' });
        },
      },
      clock,
    );
  }

  get isRetired(): boolean {
    return this.#connection.isRetired;
  }

  /**
   * The stream can be written to at once. One answer follows; when `timeoutMs` passes first, the tunnel is destroyed and the answer
   * is a refusal.
   */
  open(service: string, timeoutMs: number, answer: OpenAnswer): TunnelStream {
    const timer = this.#clock.setTimer(timeoutMs, () => {
      this.#take()?.onRefused({ code: REFUSAL.unavailable, reason: `no answer within ${Math.round(timeoutMs)} ms` });
      this.#connection.destroy();
    });
    this.#pending = {
      onAccepted: () => {
        timer.cancel();
        answer.onAccepted();
      },
      onRefused: (refusal) => {
        timer.cancel();
        answer.onRefused(refusal);
      },
    };
    return this.#connection.open(service);
  }

  end(): void {
    this.#connection.end();
  }

  #take(): OpenAnswer | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}

import type { Timer } from '@lictor/protocol';
import { reauthenticate } from '../identity/authenticate.ts';
import type { OpenStream } from '../registry/registry.ts';
import type { PublicSide } from './public-side.ts';
import type { ServiceContext } from './service-context.ts';

/** Changes that come together are looked at once; far below the second that revocation may take (design.md 7.1). */
const COALESCE_MS = 20;

/** Closes exactly the open streams that would not be let in any more, when rules or roots change. */
export class Revocation {
  readonly #context: ServiceContext;
  readonly #publicSide: PublicSide;
  #timer: Timer | undefined;
  #rootsChanged = false;

  constructor(context: ServiceContext, publicSide: PublicSide) {
    this.#context = context;
    this.#publicSide = publicSide;
  }

  intentionsChanged(): void {
    this.#schedule();
  }

  rootsChanged(): void {
    this.#rootsChanged = true;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer ??= this.#context.ports.clock.setTimer(COALESCE_MS, () => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    const checkRoots = this.#rootsChanged;
    this.#rootsChanged = false;
    const closed = this.#context.registry.closeWhere(
      (stream) => this.#denied(stream) ?? (checkRoots ? this.#untrusted(stream) : undefined),
    );
    for (const { direction, peerUri, reason, count } of closed) {
      this.#context.ports.logger.named(direction).warn('closed open connections', { client: peerUri, connections: count, reason });
    }
    this.#publicSide.closeIdleTunnels((peer) => this.#context.authorizer.decide(peer.id.service)?.allowed === false);
  }

  #denied(stream: OpenStream): string | undefined {
    if (stream.direction !== 'inbound') return undefined;
    const verdict = this.#context.authorizer.decide(stream.peer.id.service);
    return verdict === undefined || verdict.allowed ? undefined : verdict.reason;
  }

  /** As of the handshake: a certificate that has run out since is no reason to cut a connection, a root that is gone is one. */
  #untrusted(stream: OpenStream): string | undefined {
    const credentials = this.#context.credentials.current;
    if (credentials === undefined) return undefined;
    const verdict = reauthenticate(stream.peer, credentials, stream.authenticatedMs);
    return verdict.ok ? undefined : `CA changed: ${verdict.reason}`;
  }
}

import type { TLSSocket } from 'node:tls';
import type { Clock } from '@lictor/protocol';
import { Outbox } from '../relay/outbox.ts';
import { readShared } from '../relay/shared-read.ts';
import { decodeRefusal, encodeFrame, encodeRefusal, FRAME, FrameDecoder, FrameError, type FrameType, type Refusal } from './frame.ts';
import { TunnelStream } from './stream.ts';

/** What the owner of a tunnel is told. */
export interface TunnelEvents {
  /** Callee only: the peer wants a stream to this service. Answer with `accept` or `refuse`. */
  onOpen?(service: string): void;
  /** Caller only: the answer to `open`. */
  onAccept?(): void;
  onRefuse?(refusal: Refusal): void;
  /** A stream is over, both ways, and the connection can carry another. */
  onIdle(): void;
  /** The peer wants no more streams here. */
  onRetire(): void;
  /** Last event. `FrameError` when the peer broke the protocol. */
  onClosed(error?: Error): void;
}

/**
 * idle: no stream. opening: `open` sent or received, not yet answered. streaming: a stream runs. closed: nothing more happens.
 */
type State = 'idle' | 'opening' | 'streaming' | 'closed';

const KEEP_ALIVE_MS = 30_000;
/** How long a peer may take to read why it was refused. */
const LINGER_MS = 2000;
/** `accept` waits so long for the application's first bytes to go with: the caller has sent its own already. */
const ACCEPT_DELAY_MS = 1;

/** One mTLS connection that carries streams one after another. Both sides of it: `role` says who may open. */
export class TunnelConnection {
  readonly socket: TLSSocket;
  readonly #role: 'caller' | 'callee';
  readonly #events: TunnelEvents;
  readonly #clock: Clock;
  readonly #decoder: FrameDecoder;
  readonly #outbox: Outbox;
  #state: State = 'idle';
  #stream: TunnelStream | undefined;
  #error: Error | undefined;
  #retired = false;

  constructor(socket: TLSSocket, role: 'caller' | 'callee', events: TunnelEvents, clock: Clock) {
    this.socket = socket;
    this.#role = role;
    this.#events = events;
    this.#clock = clock;
    this.#outbox = new Outbox(socket, () => this.#stream?.drained());
    this.#decoder = new FrameDecoder({
      onData: (piece) => this.#onData(piece),
      onControl: (type, payload) => this.#onControl(type, payload),
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    readShared(socket, (chunk) => this.#push(chunk));
    socket.on('end', () => this.#close(undefined));
    socket.on('close', () => this.#close(undefined));
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** The peer asked for no more streams. */
  get isRetired(): boolean {
    return this.#retired;
  }

  /**
   * Caller: asks for a stream, to which bytes may be written at once; they are lost when it is refused. The answer is `onAccept`
   * or `onRefuse`, or `onClosed`.
   */
  open(service: string): TunnelStream {
    this.#state = 'opening';
    this.#outbox.writeLater(encodeFrame(FRAME.open, service), afterNextPoll);
    return this.#createStream();
  }

  /** Callee: takes the stream that `onOpen` announced. */
  accept(): TunnelStream {
    const stream = this.#stream ?? this.#createStream();
    this.#state = 'streaming';
    this.#outbox.writeLater(encodeFrame(FRAME.accept), (flush) => void this.#clock.setTimer(ACCEPT_DELAY_MS, flush));
    return stream;
  }

  /** Says why there is no stream, then closes. The caller may already have sent frames: they are read and dropped. */
  refuse(refusal: Refusal): void {
    if (this.#state === 'closed') return;
    this.#lastFrame(encodeRefusal(FRAME.refuse, refusal));
  }

  /** Asks the peer to open no more streams; it closes the connection when the present one is over. */
  retire(): void {
    if (this.#state !== 'closed') this.#outbox.write(encodeFrame(FRAME.retire));
  }

  /** Closes an idle connection. */
  end(): void {
    if (this.#state === 'closed') return;
    this.#outbox.end();
    this.#close(undefined);
  }

  destroy(): void {
    this.socket.destroy();
    this.#close(undefined);
  }

  #createStream(): TunnelStream {
    this.#stream = new TunnelStream(this.socket, this.#outbox, {
      over: () => this.#streamOver(),
      reset: (refusal) => this.#reset(refusal),
    });
    return this.#stream;
  }

  #streamOver(): void {
    if (this.#state !== 'streaming') return;
    this.#stream = undefined;
    this.#state = 'idle';
    this.socket.resume();
    this.#events.onIdle();
  }

  #reset(refusal: Refusal): void {
    if (this.#state === 'closed') return;
    this.#stream = undefined;
    this.#lastFrame(encodeRefusal(FRAME.reset, refusal));
  }

  /** Closing with unread bytes would reset the connection and could lose the frame on its way: read on, for a while. */
  #lastFrame(frame: Buffer): void {
    this.#state = 'closed';
    this.#outbox.write(frame);
    this.#outbox.end();
    this.socket.resume();
    const timer = this.#clock.setTimer(LINGER_MS, () => this.socket.destroy());
    this.socket.once('close', () => timer.cancel());
    this.#events.onClosed();
  }

  #push(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.socket.destroy();
      this.#close(error instanceof Error ? error : new FrameError(String(error)));
    }
  }

  /** May the peer send bytes of a stream? A caller need not wait for the answer to its `open`. */
  get #isFlowing(): boolean {
    return this.#state === 'streaming' || (this.#state === 'opening' && this.#role === 'callee');
  }

  #onData(piece: Buffer): void {
    if (this.#isFlowing && this.#stream !== undefined) this.#stream.received(piece);
    else if (this.#state !== 'closed') throw new FrameError('data outside a stream');
  }

  #onControl(type: FrameType, payload: Buffer): void {
    if (this.#state === 'closed') return;
    switch (type) {
      case FRAME.open:
        this.#expect(this.#role === 'callee' && this.#state === 'idle', 'open');
        this.#state = 'opening';
        this.#createStream();
        this.#events.onOpen?.(payload.toString('utf8'));
        return;
      case FRAME.accept:
        this.#expect(this.#role === 'caller' && this.#state === 'opening', 'accept');
        this.#state = 'streaming';
        this.#events.onAccept?.();
        return;
      case FRAME.refuse:
        this.#refused(decodeRefusal(payload));
        return;
      case FRAME.finish:
        this.#expect(this.#isFlowing, 'finish');
        this.#stream?.peerFinished();
        return;
      case FRAME.reset:
        this.#expect(this.#isFlowing, 'reset');
        this.#stream?.peerReset(decodeRefusal(payload));
        this.destroy();
        return;
      default:
        this.#retired = true;
        this.#events.onRetire();
    }
  }

  /** The caller hears it as the answer to `open`, or before it has asked: the callee did not like its certificate. */
  #refused(refusal: Refusal): void {
    this.#expect(this.#state !== 'streaming', 'refuse');
    this.#events.onRefuse?.(refusal);
    this.destroy();
  }

  #expect(legal: boolean, frame: string): void {
    if (!legal) throw new FrameError(`${frame} frame in state ${this.#state}`);
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const cause = error ?? this.#error;
    this.#stream?.connectionClosed(cause ?? new Error('tunnel closed by peer'));
    this.#stream = undefined;
    if (!this.socket.writableEnded) this.#outbox.end();
    this.#events.onClosed(cause);
  }
}

/** Once more the sockets are looked at: an application that speaks first has its bytes go along with `open`. */
function afterNextPoll(flush: () => void): void {
  setImmediate(() => setImmediate(flush));
}

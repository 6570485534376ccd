import { Metadata, status } from '@grpc/grpc-js';
import { LictorError, METHOD_KINDS, type RpcMethod } from '@lictor/protocol';
import { Assembler, type PartsBudget } from './assembler.ts';
import type { Body } from './body.ts';
import { type DecodedRequest, decodeRequest, encodeError, encodeValue, methodOf, toRequest } from './codec.ts';
import { isHeavy } from './encode-steps.ts';
import { BULK_METHODS, type PeerRpcLimits, SLICED_BYTES } from './limits.ts';
import type { PeerRpcHandler, PeerRpcPorts } from './ports.ts';
import { KIND, LAST_CALL_METADATA, type PeerRpcStream } from './protocol.ts';
import { decodeFrame, type FrameRecord, garbage } from './record.ts';
import { RecordSender } from './sender.ts';
import type { SlicedCodec } from './sliced-codec.ts';

/** What the streams of one service share. */
export interface SharedByStreams {
  readonly limits: PeerRpcLimits;
  readonly budget: PartsBudget;
  readonly codec: SlicedCodec;
}

interface Served {
  readonly controller: AbortController;
  /** Nothing comes of it but its answer. Undefined while the request is being decoded. */
  isRead: boolean | undefined;
}

/** The callee's end of a stream: its calls, and their answers. */
export class ServedStream {
  readonly #call: PeerRpcStream;
  readonly #handler: PeerRpcHandler;
  readonly #limits: PeerRpcLimits;
  readonly #codec: SlicedCodec;
  readonly #ports: PeerRpcPorts;
  readonly #onEnd: () => void;
  readonly #sender: RecordSender;
  readonly #assembler: Assembler;
  readonly #inFlight = new Map<number, Served>();
  #isEnded = false;
  #lastCall = 0;
  /** Told when nothing is in flight any more; undefined: not draining. */
  #onDrained: (() => void) | undefined;

  constructor(call: PeerRpcStream, handler: PeerRpcHandler, shared: SharedByStreams, ports: PeerRpcPorts, onEnd: () => void) {
    const { limits, budget, codec } = shared;
    this.#call = call;
    this.#handler = handler;
    this.#limits = limits;
    this.#codec = codec;
    this.#ports = ports;
    this.#onEnd = onEnd;
    this.#assembler = new Assembler(budget, limits.maxInFlight);
    this.#sender = new RecordSender((frame, taken) => {
      call.write(frame, () => {
        taken();
        if (call.isPaused() && !this.#isBacklogged) call.resume();
      });
    });
  }

  start(): void {
    const call = this.#call;
    call.on('data', (frame: Buffer) => this.#receive(frame));
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.#forget());
    call.on('end', () => {
      this.#forget();
      call.end();
    });
    call.write(Buffer.alloc(0));
    this.#sender.open();
  }

  /** Takes no further calls, and turns those away that only wait for something to read. @returns when all others have been answered */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      for (const [id, served] of this.#inFlight) if (served.isRead === true) this.#turnAway(id, served);
      this.#noteDrained();
    });
  }

  end(why: { readonly code: status; readonly details: string }): void {
    if (this.#isEnded) return;
    this.#forget();
    const metadata = new Metadata();
    metadata.set(LAST_CALL_METADATA, String(this.#lastCall));
    this.#call.emit('error', { ...why, metadata });
  }

  get #isBacklogged(): boolean {
    return this.#sender.shortBytes > this.#limits.maxShortBytes;
  }

  #receive(frame: Buffer): void {
    try {
      for (const record of decodeFrame(frame)) {
        if (this.#isEnded) return;
        this.#take(record);
      }
    } catch (thrown) {
      this.#refuse(thrown);
    }
    // Who does not take the answers gets to ask nothing more.
    if (this.#isBacklogged) this.#call.pause();
  }

  #refuse(thrown: unknown): void {
    if (this.#isEnded) return;
    this.#ports.metrics.incrCounter('rpc.peer.rejected');
    this.#ports.logger.warn('dropped a server connection that sent garbage', {
      peer: this.#call.getPeer(),
      error: LictorError.from(thrown).message,
    });
    this.end({ code: status.INVALID_ARGUMENT, details: 'not a frame of calls' });
  }

  #take(record: FrameRecord): void {
    const { kind, id } = record;
    if (kind === KIND.cancel) this.#cancel(id);
    else if (kind === KIND.request) this.#request(record);
    else throw garbage('a reply to nothing');
  }

  #request(record: FrameRecord): void {
    const { id } = record;
    if (this.#inFlight.has(id)) throw garbage('an id that is in use');
    const body = this.#assembler.add(record, (first) => this.#limitBytes(first));
    if (body === 'partial') return;
    if (this.#onDrained !== undefined) {
      this.#sendError(id, stopping());
    } else if (body === 'too-large') {
      this.#ports.metrics.incrCounter('rpc.peer.too_large');
      this.#sendError(id, new LictorError('too-large', 'rpc error making call: the request is too large'));
    } else if (this.#inFlight.size >= this.#limits.maxInFlight) {
      this.#ports.metrics.incrCounter('rpc.peer.overloaded');
      this.#sendError(id, new LictorError('unavailable', 'rpc error making call: too many calls in flight'));
    } else {
      this.#serve(id, body);
    }
  }

  #serve(id: number, body: Uint8Array): void {
    const served: Served = { controller: new AbortController(), isRead: undefined };
    const { signal } = served.controller;
    this.#lastCall = Math.max(this.#lastCall, id);
    this.#inFlight.set(id, served);
    if (body.length <= SLICED_BYTES) {
      this.#run(id, served, decodeRequest(body));
      return;
    }
    this.#codec
      .decode(body, signal)
      .then((decoded) => this.#run(id, served, toRequest(decoded)))
      .catch((thrown: unknown) => {
        if (!signal.aborted) this.#refuse(thrown);
      });
  }

  #run(id: number, served: Served, { method, request, options }: DecodedRequest): void {
    const { signal } = served.controller;
    if (signal.aborted) return;
    // It has been decoded meanwhile: nothing has been done yet.
    if (this.#onDrained !== undefined) return this.#turnAway(id, served);
    served.isRead = isRead(method);
    this.#answer({ method, request, options: { ...options, signal } })
      .then((value) => this.#reply(id, served, value))
      .catch((thrown: unknown) => this.#settle(id, served, () => this.#sendError(id, LictorError.from(thrown))));
  }

  async #answer(call: Parameters<PeerRpcHandler>[0]): Promise<unknown> {
    return this.#handler(call);
  }

  /** A long answer is still being worked on while it is encoded: it can be cancelled. */
  #reply(id: number, served: Served, value: unknown): void | Promise<void> {
    if (this.#inFlight.get(id) !== served) return;
    if (!isHeavy(value)) {
      const body = encodeValue(value);
      this.#settle(id, served, () => this.#sendReply(id, body));
      return;
    }
    return this.#codec
      .encode(value, this.#limits.maxReplyBytes, served.controller.signal)
      .then((body) => this.#settle(id, served, () => this.#sendReply(id, body)));
  }

  /** Nobody waits for the answer to a call that was cancelled, or whose caller is gone. */
  #settle(id: number, served: Served, send: () => void): void {
    if (this.#inFlight.get(id) !== served) return;
    this.#inFlight.delete(id);
    send();
    this.#noteDrained();
  }

  /** The caller may ask another server: nothing came of it here. */
  #turnAway(id: number, served: Served): void {
    this.#settle(id, served, () => this.#sendError(id, stopping()));
    served.controller.abort(cancelled());
  }

  #noteDrained(): void {
    if (this.#inFlight.size === 0) this.#onDrained?.();
  }

  #sendReply(id: number, body: Uint8Array | Body): void {
    const { maxReplyBytes } = this.#limits;
    if (body.length > maxReplyBytes) {
      this.#sendError(id, new LictorError('too-large', `a reply of ${body.length} bytes exceeds ${maxReplyBytes}`));
      return;
    }
    if (this.#sender.hasRoomFor(body, this.#limits)) {
      this.#sender.send(KIND.reply, id, body);
      return;
    }
    this.#ports.metrics.incrCounter('rpc.peer.overloaded');
    this.#sendError(id, new LictorError('outcome-unknown', 'rpc error making call: the caller does not take its replies'));
  }

  #sendError(id: number, error: LictorError): void {
    this.#sender.send(KIND.error, id, encodeError(error));
  }

  #cancel(id: number): void {
    this.#assembler.drop(id);
    this.#sender.drop(id);
    const served = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    served?.controller.abort(cancelled());
    this.#noteDrained();
  }

  #limitBytes(first: FrameRecord): number {
    const isBulk = BULK_METHODS.has(methodOf(first.body) ?? '');
    return isBulk ? this.#limits.maxBulkRequestBytes : this.#limits.maxRequestBytes;
  }

  #forget(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const abandoned = [...this.#inFlight.values()];
    this.#inFlight.clear();
    this.#assembler.clear();
    this.#sender.close();
    this.#onEnd();
    for (const { controller } of abandoned) controller.abort(cancelled());
    this.#onDrained?.();
  }
}

function isRead(method: string): boolean {
  return Object.hasOwn(METHOD_KINDS, method) && METHOD_KINDS[method as RpcMethod] === 'read';
}

function stopping(): LictorError {
  return new LictorError('unavailable', 'rpc error making call: this server is shutting down');
}

function cancelled(): LictorError {
  return new LictorError('cancelled', 'request cancelled');
}

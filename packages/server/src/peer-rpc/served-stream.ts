import { Metadata, status } from '@grpc/grpc-js';
import { LictorError } from '@lictor/protocol';
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
  readonly #inFlight = new Map<number, AbortController>();
  #isEnded = false;
  #lastCall = 0;

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
    if (body === 'too-large') {
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
    const controller = new AbortController();
    this.#lastCall = Math.max(this.#lastCall, id);
    this.#inFlight.set(id, controller);
    if (body.length <= SLICED_BYTES) {
      this.#run(id, controller, decodeRequest(body));
      return;
    }
    this.#codec
      .decode(body, controller.signal)
      .then((decoded) => this.#run(id, controller, toRequest(decoded)))
      .catch((thrown: unknown) => {
        if (!controller.signal.aborted) this.#refuse(thrown);
      });
  }

  #run(id: number, controller: AbortController, { method, request, options }: DecodedRequest): void {
    if (controller.signal.aborted) return;
    this.#answer({ method, request, options: { ...options, signal: controller.signal } })
      .then((value) => this.#reply(id, controller, value))
      .catch((thrown: unknown) => this.#settle(id, controller, () => this.#sendError(id, LictorError.from(thrown))));
  }

  async #answer(call: Parameters<PeerRpcHandler>[0]): Promise<unknown> {
    return this.#handler(call);
  }

  /** A long answer is still being worked on while it is encoded: it can be cancelled. */
  #reply(id: number, controller: AbortController, value: unknown): void | Promise<void> {
    if (this.#inFlight.get(id) !== controller) return;
    if (!isHeavy(value)) {
      const body = encodeValue(value);
      this.#settle(id, controller, () => this.#sendReply(id, body));
      return;
    }
    return this.#codec
      .encode(value, this.#limits.maxReplyBytes, controller.signal)
      .then((body) => this.#settle(id, controller, () => this.#sendReply(id, body)));
  }

  /** Nobody waits for the answer to a call that was cancelled, or whose caller is gone. */
  #settle(id: number, controller: AbortController, send: () => void): void {
    if (this.#inFlight.get(id) !== controller) return;
    this.#inFlight.delete(id);
    send();
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
    const controller = this.#inFlight.get(id);
    this.#inFlight.delete(id);
    controller?.abort(cancelled());
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
    for (const controller of abandoned) controller.abort(cancelled());
  }
}

function cancelled(): LictorError {
  return new LictorError('cancelled', 'request cancelled');
}

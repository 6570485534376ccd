import * as grpc from '@grpc/grpc-js';
import { type CallOptions, LictorError, type Timer } from '@lictor/protocol';
import { Assembler, type PartsBudget } from './assembler.ts';
import type { Body } from './body.ts';
import { decodeError, decodeValue, encodeRequest } from './codec.ts';
import { BLOCKING_PART, BULK_METHODS, type PeerRpcLimits, SLICED_BYTES } from './limits.ts';
import type { PeerRpcPorts } from './ports.ts';
import { KIND, LAST_CALL_METADATA } from './protocol.ts';
import { decodeFrame, type FrameRecord, garbage, MAX_CALL_ID } from './record.ts';
import { type Outgoing, RecordSender } from './sender.ts';
import type { SlicedCodec } from './sliced-codec.ts';

export interface PeerConnectionOptions {
  readonly address: string;
  readonly calls: grpc.MethodDefinition<Buffer, Buffer>;
  readonly credentials: grpc.ChannelCredentials;
  readonly channelOptions: grpc.ChannelOptions;
  readonly metadata: grpc.Metadata;
  readonly limits: PeerRpcLimits;
  readonly budget: PartsBudget;
  readonly codec: SlicedCodec;
  /** What ended it: undefined for idleness and `close`. */
  readonly onEnd: (failure: LictorError | undefined) => void;
  readonly onOpen: () => void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: LictorError) => void;
  readonly outgoing: Outgoing;
  readonly signal: AbortSignal | undefined;
  /** All of the reply is here. */
  isAnswered: boolean;
  readonly unlisten: () => void;
}

/** Connecting, handshake and the first word of the peer (consul-facts T015). */
const DIAL_TIMEOUT_MS = 5_000;
const IDLE_MS = 127_000;

/** The caller's end of one stream. Calls wait in it until the peer has said that it takes them. */
export class PeerConnection {
  readonly #options: PeerConnectionOptions;
  readonly #ports: PeerRpcPorts;
  readonly #client: grpc.Client;
  readonly #stream: grpc.ClientDuplexStream<Buffer, Buffer>;
  readonly #sender: RecordSender;
  readonly #assembler: Assembler;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #isOpen = false;
  #isEnded = false;
  /** The last call that the callee has begun, if it has said so. */
  #lastCall = Infinity;
  #lastUseMs: number;
  #timer: Timer;

  constructor(options: PeerConnectionOptions, ports: PeerRpcPorts) {
    this.#options = options;
    this.#ports = ports;
    const { address, calls, credentials, channelOptions, metadata, limits, budget } = options;
    this.#client = new grpc.Client(address, credentials, channelOptions);
    const { path, requestSerialize, responseDeserialize } = calls;
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    this.#stream = stream;
    this.#sender = new RecordSender((frame, taken) => void stream.write(frame, taken));
    this.#assembler = new Assembler(budget, limits.maxInFlight);
    this.#lastUseMs = ports.clock.monotonic();
    this.#timer = ports.clock.setTimer(DIAL_TIMEOUT_MS, () => this.#end(this.#notConnected('i/o timeout')));
    stream.on('data', (frame: Buffer) => this.#receive(frame));
    stream.on('error', (error: grpc.ServiceError) => {
      const lastCall = Number(error.metadata.get(LAST_CALL_METADATA)[0]);
      if (Number.isSafeInteger(lastCall)) this.#lastCall = lastCall;
      this.#lost(error.details);
    });
    stream.on('end', () => this.#lost('EOF'));
  }

  call(method: string, request: unknown, options: CallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const body = this.#encode(method, request, options);
      const id = this.#takeId();
      const { signal } = options;
      const onAbort = (): void => this.#abort(id);
      signal?.addEventListener('abort', onAbort, { once: true });
      const unlisten = (): void => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, { resolve, reject, outgoing: this.#sender.send(KIND.request, id, body), signal, isAnswered: false, unlisten });
    });
  }

  close(): void {
    this.#end(undefined);
  }

  #encode(method: string, request: unknown, options: CallOptions): Uint8Array | Body {
    const { maxInFlight, maxRequestBytes, maxBulkRequestBytes } = this.#options.limits;
    const isBlocking = (options.query?.minIndex ?? 0) > 0;
    if (this.#pending.size >= maxInFlight * (isBlocking ? BLOCKING_PART : 1)) throw this.#overloaded('too many calls in flight');
    const body = encodeRequest(method, request, options);
    const limit = BULK_METHODS.has(method) ? maxBulkRequestBytes : maxRequestBytes;
    if (body.length > limit) {
      throw new LictorError('too-large', `rpc error making call: a request of ${body.length} bytes exceeds ${limit}`);
    }
    if (!this.#sender.hasRoomFor(body, this.#options.limits)) throw this.#overloaded('too much waits to be sent');
    return body;
  }

  #overloaded(why: string): LictorError {
    this.#ports.metrics.incrCounter('rpc.peer.overloaded');
    return new LictorError('unavailable', `rpc error making call: ${why}`);
  }

  #takeId(): number {
    do {
      this.#nextId = this.#nextId >= MAX_CALL_ID ? 1 : this.#nextId + 1;
    } while (this.#pending.has(this.#nextId));
    return this.#nextId;
  }

  #receive(frame: Buffer): void {
    if (this.#isEnded) return;
    if (!this.#isOpen) this.#open();
    try {
      for (const record of decodeFrame(frame)) {
        if (this.#isEnded) return;
        this.#take(record);
      }
    } catch (thrown) {
      this.#refuse(thrown);
    }
  }

  #refuse(thrown: unknown): void {
    if (this.#isEnded) return;
    const error = LictorError.from(thrown);
    this.#ports.metrics.incrCounter('rpc.peer.rejected');
    this.#ports.logger.warn('dropped a server connection that sent garbage', { address: this.#options.address, error: error.message });
    this.#lost(error.message);
  }

  #open(): void {
    this.#isOpen = true;
    this.#sender.open();
    this.#lastUseMs = this.#ports.clock.monotonic();
    this.#watchIdleness(IDLE_MS);
    this.#options.onOpen();
  }

  #take(record: FrameRecord): void {
    const { kind, id } = record;
    if (kind !== KIND.reply && kind !== KIND.error) throw garbage('a request from the callee');
    const pending = this.#pending.get(id);
    // The answer to a call that was given up has crossed its cancellation.
    if (pending === undefined) return;
    if (!pending.outgoing.isSent && kind === KIND.reply) throw garbage('a reply to what was not sent');
    if (pending.isAnswered) throw garbage('a second reply');
    const body = this.#assembler.add(record, () => this.#options.limits.maxReplyBytes);
    if (body === 'partial') return;
    if (body === 'too-large') {
      this.#ports.metrics.incrCounter('rpc.peer.too_large');
      this.#giveUp(id, pending, new LictorError('too-large', 'rpc error making call: the reply is too large'));
      return;
    }
    if (kind === KIND.error) this.#reject(id, pending, decodeError(body));
    else if (body.length <= SLICED_BYTES) this.#resolve(id, pending, decodeValue(body));
    else this.#decode(id, pending, body);
  }

  /** The call stays pending meanwhile: it can still be given up. */
  #decode(id: number, pending: Pending, body: Uint8Array): void {
    pending.isAnswered = true;
    this.#options.codec.decode(body, pending.signal).then(
      (value) => {
        if (this.#pending.get(id) === pending) this.#resolve(id, pending, value);
      },
      (thrown: unknown) => {
        if (this.#pending.get(id) === pending) this.#refuse(thrown);
      },
    );
  }

  #resolve(id: number, pending: Pending, value: unknown): void {
    this.#forget(id, pending);
    pending.resolve(value);
  }

  #reject(id: number, pending: Pending, error: LictorError): void {
    this.#forget(id, pending);
    pending.reject(error);
  }

  #abort(id: number): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#giveUp(id, pending, new LictorError('cancelled', 'request cancelled'));
  }

  #giveUp(id: number, pending: Pending, error: LictorError): void {
    this.#forget(id, pending);
    if (!this.#isEnded && this.#isOpen) this.#sender.send(KIND.cancel, id, NOTHING);
    pending.reject(error);
  }

  #forget(id: number, { outgoing, unlisten }: Pending): void {
    this.#pending.delete(id);
    this.#assembler.drop(id);
    this.#sender.drop(id);
    outgoing.isDropped = true;
    unlisten();
    if (this.#pending.size === 0) this.#lastUseMs = this.#ports.clock.monotonic();
  }

  #watchIdleness(delayMs: number): void {
    const { clock } = this.#ports;
    this.#timer.cancel();
    this.#timer = clock.setTimer(delayMs, () => {
      const idleMs = this.#pending.size > 0 ? 0 : clock.monotonic() - this.#lastUseMs;
      if (idleMs >= IDLE_MS) this.#end(undefined);
      else this.#watchIdleness(IDLE_MS - idleMs);
    });
  }

  #lost(details: string): void {
    this.#end(this.#isOpen ? new LictorError('outcome-unknown', `rpc error making call: ${details}`) : this.#notConnected(details));
  }

  #notConnected(details: string): LictorError {
    return new LictorError('unavailable', `rpc error getting client: failed to get conn: ${details}`);
  }

  #end(failure: LictorError | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#timer.cancel();
    this.#sender.close();
    this.#assembler.clear();
    this.#stream.cancel();
    this.#client.close();
    this.#options.onEnd(failure);
    const message = failure?.message ?? 'rpc error making call: the connection was closed';
    for (const [id, { outgoing, reject, unlisten }] of this.#pending) {
      unlisten();
      const mayBeDone = outgoing.isSent && id <= this.#lastCall;
      reject(new LictorError(mayBeDone ? 'outcome-unknown' : 'unavailable', message));
    }
    this.#pending.clear();
  }
}

const NOTHING = new Uint8Array(0);

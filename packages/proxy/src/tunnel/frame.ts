/**
 * Frames of a pooled tunnel (ALPN `lictor-tunnel/1`): an idle mTLS connection between two sidecars carries one application
 * stream after another. Flow control is TCP's, since there is one stream at a time.
 *
 * ```
 *   type (1 byte)  payload length (3 bytes, big endian)  payload
 * ```
 */
export const TUNNEL_PROTOCOL = 'lictor-tunnel/1';

export const FRAME_HEADER_BYTES = 4;
/** A data frame's payload; what a socket read gives is at most 64 KiB. */
export const MAX_DATA_BYTES = 256 * 1024;
/** Every other frame's payload: a service name or a reason. */
export const MAX_CONTROL_BYTES = 4096;

export const FRAME = {
  /** Caller to callee: begin a stream. Payload: the destination service's name. */
  open: 1,
  /** Callee to caller: authorised, and the local application has taken the connection. */
  accept: 2,
  /** Either way, instead of a stream: code byte, then the reason in UTF-8. No byte of the stream has been delivered. */
  refuse: 3,
  data: 4,
  /** Half-close: no more data this way. The stream is over when both ways have had one. */
  finish: 5,
  /** The stream broke off: code byte and reason. The connection is not used again. */
  reset: 6,
  /** No stream after the present one. */
  retire: 7,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** Why a stream was refused or reset; a byte on the wire. */
export const REFUSAL = {
  /** A rule says no: the same on every instance. */
  denied: 1,
  /** The caller's certificate is not good enough. */
  unauthenticated: 2,
  /** This instance cannot serve now; another one may. */
  unavailable: 3,
  /** The connection is too old to carry streams (roots or leaf changed): try again on a new one. */
  stale: 4,
  protocol: 5,
  /** The other side's application reset its connection. */
  reset: 6,
} as const;
export type RefusalCode = (typeof REFUSAL)[keyof typeof REFUSAL];

export interface Refusal {
  readonly code: RefusalCode;
  readonly reason: string;
}

const FIRST_TYPE = FRAME.open;
const LAST_TYPE = FRAME.retire;
const encoder = new TextEncoder();

export function encodeHeader(target: Uint8Array, type: FrameType, payloadBytes: number): void {
  target[0] = type;
  target[1] = payloadBytes >>> 16;
  target[2] = (payloadBytes >>> 8) & 0xff;
  target[3] = payloadBytes & 0xff;
}

export function encodeFrame(type: FrameType, payload: Uint8Array | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bytes.length);
  encodeHeader(frame, type, bytes.length);
  frame.set(bytes, FRAME_HEADER_BYTES);
  return frame;
}

export function encodeRefusal(type: typeof FRAME.refuse | typeof FRAME.reset, refusal: Refusal): Buffer {
  const reason = encoder.encode(refusal.reason).subarray(0, MAX_CONTROL_BYTES - 1);
  const payload = new Uint8Array(1 + reason.length);
  payload[0] = refusal.code;
  payload.set(reason, 1);
  return encodeFrame(type, payload);
}

/** Total: an unknown code reads as `protocol`, and control characters cannot reach a log line. */
export function decodeRefusal(payload: Uint8Array): Refusal {
  const code = Object.values(REFUSAL).find((known) => known === payload[0]) ?? REFUSAL.protocol;
  const reason = new TextDecoder().decode(payload.subarray(1)).replace(/\p{Cc}/gu, ' ');
  return { code, reason };
}

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export interface FrameHandler {
  /** A piece of a data frame, as it arrived: frames are never gathered. The bytes are there only until it returns. */
  onData(piece: Buffer): void;
  /** A whole frame of another type. */
  onControl(type: FrameType, payload: Buffer): void;
}

/**
 * Incremental decoder.
 *
 * 1. It holds at most one header or one control payload (4 KiB), whatever the peer sends.
 * 2. After it has thrown once, it throws always.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #type: FrameType = FRAME.data;
  #remaining = 0;
  #control: Buffer[] = [];
  #broken = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** @throws FrameError on an unknown type or an oversized payload; the connection must be closed */
  push(chunk: Buffer): void {
    if (this.#broken) throw new FrameError('frame after a protocol error');
    let position = 0;
    while (position < chunk.length) {
      if (this.#headerBytes < FRAME_HEADER_BYTES) {
        position = this.#readHeader(chunk, position);
        continue;
      }
      const end = Math.min(position + this.#remaining, chunk.length);
      const piece = position === 0 && end === chunk.length ? chunk : chunk.subarray(position, end);
      this.#remaining -= end - position;
      position = end;
      this.#readPayload(piece);
    }
  }

  #readHeader(chunk: Buffer, from: number): number {
    let position = from;
    while (this.#headerBytes < FRAME_HEADER_BYTES && position < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[position++] ?? 0;
    }
    if (this.#headerBytes < FRAME_HEADER_BYTES) return position;
    this.#type = this.#checkedType(this.#header[0] ?? 0);
    this.#remaining = this.#header.readUIntBE(1, 3);
    const limit = this.#type === FRAME.data ? MAX_DATA_BYTES : MAX_CONTROL_BYTES;
    if (this.#remaining > limit) this.#fail(`frame of ${this.#remaining} bytes exceeds ${limit}`);
    if (this.#remaining === 0) this.#endFrame();
    return position;
  }

  #readPayload(piece: Buffer): void {
    if (this.#type === FRAME.data) {
      if (this.#remaining === 0) this.#headerBytes = 0;
      this.#handler.onData(piece);
      return;
    }
    // A copy: the chunk is gone when `push` returns.
    this.#control.push(Buffer.from(piece));
    if (this.#remaining === 0) this.#endFrame();
  }

  #endFrame(): void {
    this.#headerBytes = 0;
    if (this.#type === FRAME.data) return;
    const payload = this.#control.length === 1 ? (this.#control[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#control);
    this.#control = [];
    this.#handler.onControl(this.#type, payload);
  }

  #checkedType(byte: number): FrameType {
    if (byte < FIRST_TYPE || byte > LAST_TYPE) this.#fail(`unknown frame type ${byte}`);
    return byte as FrameType;
  }

  #fail(message: string): never {
    this.#broken = true;
    throw new FrameError(message);
  }
}

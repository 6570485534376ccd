import type { Random } from '@lictor/protocol';
import { GossipError, malformed } from '../errors.ts';
import { MAX_LABEL_BYTES } from '../wire/limits.ts';
import { type Keyring, nonceBytes, SEAL_BYTES } from './keyring.ts';

/** Of the envelope, not of the messages in it. */
const VERSION = 1;
const HEAD_BYTES = 3;
const SEALED = 1;
const DEFLATED = 2;
/** An empty answer to what could not be opened: a hint for whoever reads logs, and nothing that is believed. */
const NOT_OPENED = 4;

export interface EnvelopeOptions {
  /** Those of another label are not of this pool. */
  readonly label: string;
  /** Plain text is refused while there are keys. Off for the time in which a pool gets its first key. */
  readonly verifyIncoming: boolean;
  /** What is sent is sealed while there are keys. */
  readonly verifyOutgoing: boolean;
}

export interface Opened {
  readonly body: Uint8Array;
  readonly isDeflated: boolean;
  /** The peer could not open what was sent to it. */
  readonly isRefusal: boolean;
}

/**
 * Around everything that is sent: version, flags, length of the label, label, and the body, sealed when there are keys. The head is plain text, but
 * a seal holds for one head only (it is GCM's additional data).
 */
export class Envelope {
  readonly #options: EnvelopeOptions;
  readonly #keyring: Keyring;
  readonly #random: Random;
  readonly #label: Buffer;

  /** @throws GossipError `invalid` */
  constructor(options: EnvelopeOptions, keyring: Keyring, random: Random) {
    this.#options = options;
    this.#keyring = keyring;
    this.#random = random;
    this.#label = Buffer.from(options.label);
    if (this.#label.length > MAX_LABEL_BYTES) throw new GossipError('invalid', `label exceeds ${MAX_LABEL_BYTES} bytes`);
  }

  /** Bytes around a body, at most. */
  get overhead(): number {
    return HEAD_BYTES + this.#label.length + SEAL_BYTES;
  }

  close(body: Uint8Array, isDeflated = false): Uint8Array {
    const isSealed = !this.#keyring.isEmpty && this.#options.verifyOutgoing;
    const head = this.#head((isSealed ? SEALED : 0) | (isDeflated ? DEFLATED : 0));
    return Buffer.concat([head, isSealed ? this.#keyring.seal(body, head, this.#random.bytes(nonceBytes)) : body]);
  }

  /** What is answered to a stream that could not be opened. */
  refusal(): Uint8Array {
    return this.#head(NOT_OPENED);
  }

  /** @throws GossipError `malformed`, `foreign` */
  open(packet: Uint8Array): Opened {
    const [version, flags, labelLength] = packet;
    if (version !== VERSION || flags === undefined || labelLength === undefined) throw malformed('no envelope');
    const headEnd = HEAD_BYTES + labelLength;
    const head = packet.subarray(0, headEnd);
    if (head.length < headEnd) throw malformed('ends too early');
    const body = packet.subarray(headEnd);
    if (flags === NOT_OPENED) return { body, isDeflated: false, isRefusal: true };
    if (Buffer.compare(head.subarray(HEAD_BYTES), this.#label) !== 0) throw new GossipError('foreign', 'message of another label');
    const isDeflated = (flags & DEFLATED) !== 0;
    if ((flags & SEALED) === 0) return { body: this.#plain(body), isDeflated, isRefusal: false };
    if (this.#keyring.isEmpty) throw new GossipError('foreign', 'message is encrypted, and this member has no gossip key');
    const opened = this.#keyring.open(body, head);
    if (opened === undefined) throw new GossipError('foreign', 'no installed gossip key could decrypt the message');
    return { body: opened, isDeflated, isRefusal: false };
  }

  #plain(body: Uint8Array): Uint8Array {
    if (!this.#keyring.isEmpty && this.#options.verifyIncoming)
      throw new GossipError('foreign', 'message is not encrypted, and this member requires it');
    return body;
  }

  #head(flags: number): Uint8Array {
    return Buffer.concat([Uint8Array.of(VERSION, flags, this.#label.length), this.#label]);
  }
}

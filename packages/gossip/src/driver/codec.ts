import { GossipError } from '../errors.ts';
import type { Envelope } from '../keyring/index.ts';
import type { Message, StreamMessage } from '../swim/index.ts';
import { decodePacket, decodeStreamMessage, encodePacket, encodeStreamMessage, MAX_STREAM_BYTES } from '../wire/index.ts';
import { deflate, inflate } from './compression.ts';

/** From messages to what goes over the network, and back. */
export class PoolCodec {
  readonly #envelope: Envelope;
  readonly #compress: boolean;

  constructor(envelope: Envelope, compress: boolean) {
    this.#envelope = envelope;
    this.#compress = compress;
  }

  packet(messages: readonly Message[]): Uint8Array {
    return this.#envelope.close(encodePacket(messages));
  }

  /** @throws GossipError `malformed`, `foreign` */
  openPacket(packet: Uint8Array): Message[] {
    const { body, isDeflated, isRefusal } = this.#envelope.open(packet);
    if (isDeflated || isRefusal) throw new GossipError('malformed', 'gossip message: no packet');
    return decodePacket(body);
  }

  async stream(message: StreamMessage): Promise<Uint8Array> {
    const body = encodeStreamMessage(message);
    const deflated = this.#compress ? await deflate(body) : undefined;
    return this.#envelope.close(deflated ?? body, deflated !== undefined);
  }

  /** @throws GossipError `malformed`, `foreign` */
  async openStream(frame: Uint8Array): Promise<StreamMessage> {
    const { body, isDeflated, isRefusal } = this.#envelope.open(frame);
    if (isRefusal) throw new GossipError('foreign', PEER_CANNOT_READ);
    return decodeStreamMessage(isDeflated ? await inflate(body, MAX_STREAM_BYTES) : body);
  }

  refusal(): Uint8Array {
    return this.#envelope.refusal();
  }
}

const PEER_CANNOT_READ =
  'the peer cannot read what this member sends: it has another gossip encryption key, or none, or another label (compare `keyring -list` on both)';

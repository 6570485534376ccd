import type { Address, Message, Notice, StreamMessage, SwimEvent } from '../swim/index.ts';

/** Words for what passes between members. Numbers of probes are random; the first that shows up is 1. */
export class TranscriptFormat {
  readonly #numbers = new Map<number, number>();
  readonly #nameOf: (address: Address) => string;

  constructor(nameOf: (address: Address) => string) {
    this.#nameOf = nameOf;
  }

  message(message: Message): string {
    switch (message.type) {
      case 'ping':
        return `ping ${this.#number(message.seq)} of ${message.node}`;
      case 'ping-request':
        return `please-ping ${this.#number(message.seq)} of ${message.node} at ${this.#nameOf(message.address)}`;
      case 'ack':
      case 'nack':
        return `${message.type} ${this.#number(message.seq)}`;
      case 'alive':
        return `alive ${message.node}.${message.incarnation}${this.#content(message)}`;
      case 'suspect':
        return `suspect ${message.node}.${message.incarnation} by ${message.from}`;
      case 'dead':
        return message.from === message.node
          ? `left ${message.node}.${message.incarnation}`
          : `dead ${message.node}.${message.incarnation} by ${message.from}`;
      case 'app':
        return `app of ${message.payload.length} bytes`;
    }
  }

  stream(message: StreamMessage): string {
    switch (message.type) {
      case 'push-pull': {
        const members = message.members.map((record) => `${record.node}.${record.incarnation} ${record.state}${this.#content(record)}`);
        return `${message.join ? 'join' : 'push-pull'} [${members.join(', ')}]`;
      }
      case 'refused':
        return `refused: ${message.reason}`;
      case 'ping':
        return `stream ping ${this.#number(message.seq)} of ${message.node}`;
      case 'ack':
        return `stream ack ${this.#number(message.seq)}`;
    }
  }

  /** What the core tells the one above it; undefined: not worth a line. */
  event(event: SwimEvent): string | undefined {
    switch (event.type) {
      case 'join':
      case 'leave':
      case 'failed':
      case 'update':
        return `${event.type} ${event.node.name}.${event.node.incarnation}`;
      case 'conflict':
        return `conflict of ${event.what}: ${event.known.name} at ${this.#nameOf(event.known.address)}, claimed from ${this.#nameOf(event.claim.address)}`;
      case 'rtt':
        return `${event.node.name} is ${Math.round(event.rttMs)} ms away`;
      case 'app':
      case 'app-state':
        return undefined;
    }
  }

  notice(notice: Notice): string | undefined {
    switch (notice.type) {
      case 'health':
        return `health ${notice.score}`;
      case 'suspected':
        return `suspects ${notice.node}, by ${notice.by}`;
      case 'refuted':
        return `refutes ${notice.by}`;
      case 'timed-out':
        return `gives up ${notice.node} with ${notice.confirmations} of ${notice.expected} confirmations`;
      case 'stream-only':
        return `${notice.node} answers streams only`;
      default:
        return undefined;
    }
  }

  #number(seq: number): number {
    const known = this.#numbers.get(seq) ?? this.#numbers.size + 1;
    this.#numbers.set(seq, known);
    return known;
  }

  #content({
    node,
    address,
    tags,
  }: {
    readonly node: string;
    readonly address: Address;
    readonly tags: Readonly<Record<string, string>>;
  }): string {
    const home = this.#nameOf(address);
    const pairs = Object.entries(tags).map(([name, value]) => ` ${name}=${value}`);
    return `${home === node ? '' : ` at ${home}`}${pairs.join('')}`;
  }
}

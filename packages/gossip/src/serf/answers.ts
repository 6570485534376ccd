import { GossipError } from '../errors.ts';
import type { Swim } from '../swim/index.ts';
import { encodeSerfMessage } from '../wire/serf-codec.ts';
import { NO_BYTES } from '../swim/message.ts';
import type { SerfEvent } from './effects.ts';
import type { QueryMessage, QueryResponseMessage, RelayMessage } from './message.ts';
import { NameConflicts } from './name-conflicts.ts';
import type { SerfOptions, SerfPorts } from './options.ts';

interface Open {
  readonly query: QueryMessage;
  readonly deadlineMs: number;
}

const MAX_OPEN = 1024;

/** Queries of others that this member may answer. */
export class Answers {
  readonly #options: SerfOptions;
  readonly #ports: SerfPorts;
  readonly #swim: Swim;
  readonly #emit: (event: SerfEvent) => void;
  readonly #answerSelf: (response: QueryResponseMessage) => void;
  readonly #open = new Map<number, Open>();
  #token = 0;

  /** `answerSelf`: for queries of this member's own. */
  constructor(
    options: SerfOptions,
    ports: SerfPorts,
    swim: Swim,
    emit: (event: SerfEvent) => void,
    answerSelf: (response: QueryResponseMessage) => void,
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#swim = swim;
    this.#emit = emit;
    this.#answerSelf = answerSelf;
  }

  /** A query that is new here. Its answer goes to a member, where that one is known to be: nobody points all members at a stranger. */
  ask(query: QueryMessage, nowMs: number): void {
    const asker = this.#swim.member(query.from);
    if (asker === undefined || !this.#isMeant(query)) return;
    // Who asks whose its name is may be known by another address; the answer is a single small datagram.
    const isContest = query.name === NameConflicts.query && !query.wantsAck && query.relays === 0;
    if (asker.address !== query.fromAddress && !isContest) return;
    for (const [token, { deadlineMs }] of this.#open) if (deadlineMs <= nowMs) this.#open.delete(token);
    if (this.#open.size >= MAX_OPEN) return;
    if (query.wantsAck) this.#send(query, true, NO_BYTES, nowMs);
    const token = ++this.#token;
    const deadlineMs = nowMs + query.timeoutMs;
    this.#open.set(token, { query, deadlineMs });
    this.#emit({ type: 'query', query: { token, name: query.name, payload: query.payload, from: query.from, deadlineMs } });
  }

  /** @throws GossipError `invalid` (answered, or too late), `too-large` */
  respond(token: number, payload: Uint8Array, nowMs: number): void {
    const open = this.#open.get(token);
    if (open === undefined || open.deadlineMs <= nowMs) throw new GossipError('invalid', 'response is past the deadline');
    const limit = this.#options.queryResponseBytes;
    const { length } = encodeSerfMessage(this.#response(open.query, false, payload));
    if (length > limit) throw new GossipError('too-large', `response exceeds limit of ${limit} bytes`);
    this.#open.delete(token);
    this.#send(open.query, false, payload, nowMs);
  }

  #isMeant({ nodes, tags }: QueryMessage): boolean {
    const { name, tags: own } = this.#swim.self;
    if (nodes.length > 0 && !nodes.includes(name)) return false;
    return Object.entries(tags).every(([tag, pattern]) => this.#matches(pattern, own[tag] ?? ''));
  }

  /** A pattern that cannot be read matches nothing. */
  #matches(pattern: string, value: string): boolean {
    const { matchesPattern } = this.#ports;
    if (matchesPattern === undefined) return pattern === value;
    try {
      return matchesPattern(pattern, value);
    } catch {
      return false;
    }
  }

  #response({ time, id }: QueryMessage, isAck: boolean, payload: Uint8Array): QueryResponseMessage {
    return { type: 'query-response', time, id, from: this.#options.name, isAck, payload };
  }

  #send(query: QueryMessage, isAck: boolean, payload: Uint8Array, nowMs: number): void {
    const response = this.#response(query, isAck, payload);
    if (query.from === this.#options.name) return this.#answerSelf(response);
    this.#swim.sendApp(query.fromAddress, encodeSerfMessage(response), nowMs);
    if (query.relays === 0) return;
    const relay: RelayMessage = { type: 'relay', node: query.from, response };
    const bytes = encodeSerfMessage(relay);
    for (const { address } of this.#swim.pick(query.relays, ({ name }) => name !== query.from)) this.#swim.sendApp(address, bytes, nowMs);
  }
}

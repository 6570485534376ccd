import { BroadcastQueue, type Message } from '../swim/index.ts';
import { sizeOfPart } from '../wire/packet.ts';
import { encodeSerfMessage } from '../wire/serf-codec.ts';
import type { Intent, QueryMessage, UserEventMessage } from './message.ts';

/** What serf has to tell all members, in order of importance. */
export class SerfQueues {
  readonly intents: BroadcastQueue;
  readonly queries: BroadcastQueue;
  readonly events: BroadcastQueue;

  constructor(maxQueued: number) {
    this.intents = new BroadcastQueue(maxQueued);
    this.queries = new BroadcastQueue(maxQueued);
    this.events = new BroadcastQueue(maxQueued);
  }

  get all(): readonly BroadcastQueue[] {
    return [this.intents, this.queries, this.events];
  }

  get sizes(): { readonly intents: number; readonly queries: number; readonly events: number } {
    return { intents: this.intents.size, queries: this.queries.size, events: this.events.size };
  }

  /** The last intent of a member is the one that counts. */
  spread(message: Intent | QueryMessage | UserEventMessage): void {
    const app: Message = { type: 'app', payload: encodeSerfMessage(message) };
    const bytes = sizeOfPart(app);
    if (message.type === 'query') this.queries.push(app, bytes);
    else if (message.type === 'user-event') this.events.push(app, bytes);
    else this.intents.push(app, bytes, message.node);
  }
}

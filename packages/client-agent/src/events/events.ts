import { compileRegex, type Regex } from '@lictor/mesh';
import {
  type CallOptions,
  type Clock,
  type FiredEvent,
  LictorError,
  type Logger,
  type NodeService,
  type Random,
  randomUuid,
  type ServerPort,
} from '@lictor/protocol';
import type { AgentPool, PoolEvent, UserEvent, UserEvents } from '../contracts/index.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';

/** Events kept (consul-facts T029). */
const RING_SIZE = 256;
/** What one gossip message carries, and as much for a node by itself (consul-facts T022). */
const MAX_EVENT_BYTES = 512;
const VERSION = 1;
/** Of all user events in the pool; who they concern is said in the payload. */
const POOL_EVENT = 'user';

export interface EventPorts {
  /** Undefined: events stay on this node. */
  readonly pool: AgentPool | undefined;
  /** The way to other datacenters. */
  readonly server: ServerPort;
  readonly datacenter: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly nodeName: () => string;
  readonly services: () => Iterable<NodeService>;
}

type FireRequest = Parameters<UserEvents['fire']>[0];

/** To all members. @throws Error when it is too large */
export function fireInPool(pool: Pick<AgentPool, 'sendUserEvent'>, event: FiredEvent): void {
  pool.sendUserEvent(POOL_EVENT, encodeEvent(event));
}

/** User events that concern this node, from all members of the LAN pool. */
export class AgentUserEvents implements UserEvents {
  readonly #ports: EventPorts;
  #ring: UserEvent[] = [];
  /** Serf's Lamport clock: the first event has time 2. */
  #lamportTime = 1;
  readonly #waiting = new Set<() => void>();

  constructor(ports: EventPorts) {
    this.#ports = ports;
    ports.pool?.onUserEvent((event) => this.#receive(event));
  }

  async fire(request: FireRequest, { datacenter = '', token }: Pick<CallOptions, 'token' | 'datacenter'> = {}): Promise<UserEvent> {
    const filters = compileFilters(request);
    const bytes = Buffer.byteLength(request.Name) + (request.Payload?.length ?? 0);
    if (bytes > MAX_EVENT_BYTES)
      throw new LictorError('rejected', `user event exceeds configured limit of ${MAX_EVENT_BYTES} bytes before encoding`);
    const event: FiredEvent = { ...request, ID: randomUuid(this.#ports.random), Version: VERSION };
    const { pool, server } = this.#ports;
    if (datacenter !== '' && datacenter !== this.#ports.datacenter)
      await server.call('Event.Fire', event, { ...(token !== undefined && { token }), datacenter, query: { consistency: 'stale' } });
    else if (pool === undefined) this.#deliver({ ...event, LTime: ++this.#lamportTime }, filters);
    else fireInPool(pool, event);
    return { ...event, LTime: 0 };
  }

  #receive({ name, payload, time }: PoolEvent): void {
    if (name !== POOL_EVENT) return;
    try {
      const event = decodeEvent(payload);
      if (event.Version === VERSION) this.#deliver({ ...event, LTime: time }, compileFilters(event));
      else this.#ports.logger.warn('unknown user event version', { version: event.Version });
    } catch (thrown) {
      this.#ports.logger.warn('dropped a user event', { error: LictorError.from(thrown) });
    }
  }

  #deliver(event: UserEvent, filters: Filters): void {
    // A call that was repeated fires twice.
    if (!this.#concerns(filters) || this.#ring.some(({ ID }) => ID === event.ID)) return;
    this.#ring = [...this.#ring.slice(-(RING_SIZE - 1)), event];
    for (const wake of this.#waiting) wake();
  }

  list(name?: string): readonly UserEvent[] {
    return name === undefined ? this.#ring : this.#ring.filter((event) => event.Name === name);
  }

  index(name?: string): bigint {
    const last = this.list(name).at(-1);
    return last === undefined ? 0n : indexOfId(last.ID);
  }

  waitForChange(index: bigint, waitMs: number, name: string | undefined, signal?: AbortSignal): Promise<void> {
    if (this.index(name) !== index) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#waiting.delete(onEvent);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const onEvent = (): void => {
        if (this.index(name) !== index) finish();
      };
      const timer = this.#ports.clock.setTimer(waitMs, finish);
      this.#waiting.add(onEvent);
      if (signal?.aborted) finish();
      else signal?.addEventListener('abort', finish, { once: true });
    });
  }

  #concerns({ node, service, tag }: Filters): boolean {
    if (node !== undefined && !node.matchesPart(this.#ports.nodeName())) return false;
    if (service === undefined) return true;
    for (const candidate of this.#ports.services()) {
      if (!service.matchesPart(candidate.Service)) continue;
      if (tag === undefined || candidate.Tags.some((value) => tag.matchesPart(value))) return true;
    }
    return false;
  }
}

interface Filters {
  readonly node: Regex | undefined;
  readonly service: Regex | undefined;
  readonly tag: Regex | undefined;
}

function compileFilters(request: Pick<UserEvent, 'NodeFilter' | 'ServiceFilter' | 'TagFilter'>): Filters {
  if (request.TagFilter !== '' && request.ServiceFilter === '') {
    throw new LictorError('rejected', 'Cannot provide tag filter without service filter');
  }
  return {
    node: compileFilter('node', request.NodeFilter),
    service: compileFilter('service', request.ServiceFilter),
    tag: compileFilter('tag', request.TagFilter),
  };
}

function compileFilter(name: string, pattern: string): Regex | undefined {
  if (pattern === '') return undefined;
  try {
    return compileRegex(pattern);
  } catch (error) {
    throw new LictorError('rejected', `Invalid ${name} filter: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Both halves of the UUID over each other, as Consul's clients compute it too. */
function indexOfId(id: string): bigint {
  const hex = id.replaceAll('-', '');
  return BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`);
}

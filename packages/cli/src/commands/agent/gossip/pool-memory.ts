import { join } from 'node:path';
import type { GossipPool, MembershipEvent } from '@lictor/gossip';
import type { Clock, Logger, Random } from '@lictor/protocol';
import { toAgentPool } from './agent-pool.ts';
import type { Change } from './member-changes.ts';
import { MemberSnapshot } from './member-snapshot.ts';
import { rejoin } from './rejoin.ts';

export interface PoolMemoryPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Keeps on disk who is in a pool, so that this agent finds it again without `retry_join`. */
export class PoolMemory {
  readonly #pool: GossipPool;
  readonly #ports: PoolMemoryPorts;
  readonly #snapshot: MemberSnapshot;
  readonly #before: MemberSnapshot['known'];
  readonly #unsubscribe: () => void;

  constructor(pool: GossipPool, dataDir: string, wan: boolean, ports: PoolMemoryPorts) {
    this.#pool = pool;
    this.#ports = ports;
    this.#snapshot = new MemberSnapshot(join(dataDir, 'serf', wan ? 'remote.snapshot' : 'local.snapshot'), ports);
    this.#before = this.#snapshot.known;
    this.#unsubscribe = pool.onEvent((event) => {
      const change = toChange(event, pool);
      if (change !== undefined) this.#snapshot.note(change);
    });
  }

  /** Of those who were there when this agent last ran. Never rejects. */
  async rejoin(evenAfterLeave: boolean, signal: AbortSignal): Promise<void> {
    if (this.#before.hasLeft && !evenAfterLeave) return;
    await rejoin(this.#before, { ...this.#ports, pool: toAgentPool(this.#pool) }, signal);
  }

  /** What members do from now on is not noted: to this agent they are not gone. */
  noteLeave(): void {
    this.#snapshot.note({ type: 'left' });
    this.stop();
  }

  stop(): void {
    this.#unsubscribe();
    this.#snapshot.close();
  }
}

function toChange(event: MembershipEvent, { self }: GossipPool): Change | undefined {
  if (event.type === 'conflict' || event.member.name === self.name) return undefined;
  const { name, address } = event.member;
  if (event.type === 'join' || event.type === 'update') return { type: 'alive', name, address };
  return { type: event.type === 'failed' ? 'failed' : 'gone', name };
}

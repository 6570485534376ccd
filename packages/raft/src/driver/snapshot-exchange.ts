import type { SnapshotMeta } from '../core/entry.ts';
import { RaftError } from '../core/errors.ts';
import type { SnapshotRequest } from '../core/message.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { NodePorts } from './options.ts';
import type { SnapshotReceiver } from './ports.ts';

/** Snapshots on their way to and from other servers. */
export class SnapshotExchange {
  readonly #ports: NodePorts;
  readonly #metrics: NodeMetrics;
  /** Whole and durable here, and not asked for by the core yet. */
  #received: string | undefined;
  /** The core wants this one, and it is being put in place. */
  #installing = false;
  /** That have begun. */
  #downloads = 0;

  constructor(ports: NodePorts, metrics: NodeMetrics) {
    this.#ports = ports;
    this.#metrics = metrics;
  }

  /** Is what this message stands for here? Otherwise the core must not hear of it. */
  has(request: SnapshotRequest): boolean {
    return this.#received === keyOf(request.snapshot);
  }

  beginInstall(): void {
    this.#installing = true;
  }

  async install(meta: SnapshotMeta): Promise<void> {
    const { snapshots, machine, logger, metrics, clock } = this.#ports;
    const startMs = clock.monotonic();
    const snapshot = await snapshots.install(meta);
    const restoreMs = clock.monotonic();
    await machine.restore(snapshot.state(), snapshot.meta);
    this.#metrics.restored(clock.monotonic() - restoreMs);
    this.#received = undefined;
    this.#installing = false;
    metrics.addSample('raft.rpc.installSnapshot', clock.monotonic() - startMs);
    logger.info("installed the leader's snapshot", { index: meta.index, sizeBytes: snapshot.sizeBytes });
  }

  async receive(meta: SnapshotMeta): Promise<SnapshotReceiver> {
    if (this.#installing) throw new RaftError('overloaded', 'a snapshot is being installed');
    this.#received = undefined;
    const download = ++this.#downloads;
    const receiver = await this.#ports.snapshots.receive(meta);
    return {
      offset: receiver.offset,
      append: (bytes) => receiver.append(bytes),
      close: () => receiver.close(),
      finish: async () => {
        const snapshot = await receiver.finish();
        // The next one removes what this one has brought.
        if (download !== this.#downloads) throw new RaftError('stopped', 'another download has begun');
        this.#received = keyOf(snapshot.meta);
        return snapshot;
      },
    };
  }

  /** The newest there is, which may be newer than what the core has asked for. */
  async send(request: SnapshotRequest): Promise<boolean> {
    const { snapshots, transport, logger } = this.#ports;
    try {
      const snapshot = await snapshots.latest();
      if (snapshot === undefined) return false;
      return await transport.sendSnapshot({ ...request, snapshot: snapshot.meta }, snapshot);
    } catch (thrown) {
      logger.warn('a snapshot was not delivered', { to: request.to, error: thrown instanceof Error ? thrown.message : String(thrown) });
      return false;
    }
  }
}

function keyOf({ index, term }: SnapshotMeta): string {
  return `${index}-${term}`;
}

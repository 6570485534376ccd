import type { NodeId } from '../../core/entry.ts';
import type { Message, SnapshotRequest } from '../../core/message.ts';
import type { StoredSnapshot, Transport, TransportHandler } from '../ports.ts';

/** Carries messages between servers of one process; servers can be cut off. */
export class MemoryNetwork {
  readonly #handlers = new Map<NodeId, TransportHandler>();
  readonly #cut = new Set<NodeId>();
  /** Ways in one direction, `from>to`. */
  readonly #cutLinks = new Set<string>();
  /** How a message travels: at once, unless a test says that it is late, lost or doubled. */
  carry: (message: Message, deliver: () => void) => void = (_, deliver) => queueMicrotask(deliver);
  snapshotsSent = 0;
  /** Bytes after which the next snapshot's way breaks. */
  breakSnapshotAfterBytes: number | undefined;

  cut(id: NodeId): void {
    this.#cut.add(id);
  }

  cutLink(from: NodeId, to: NodeId): void {
    this.#cutLinks.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
    this.#cutLinks.clear();
  }

  transportOf(id: NodeId): Transport {
    return {
      start: (handler) => {
        this.#handlers.set(id, handler);
        return Promise.resolve();
      },
      setPeers: () => undefined,
      send: (message) => this.carry(message, () => this.#way(message)?.receive(message)),
      sendSnapshot: (message, snapshot) => this.#sendSnapshot(message, snapshot),
      stop: () => {
        this.#handlers.delete(id);
        return Promise.resolve();
      },
    };
  }

  #way({ from, to }: Message): TransportHandler | undefined {
    if (this.#cut.has(from) || this.#cut.has(to) || this.#cutLinks.has(`${from}>${to}`)) return undefined;
    return this.#handlers.get(to);
  }

  async #sendSnapshot(message: SnapshotRequest, snapshot: StoredSnapshot): Promise<boolean> {
    const handler = this.#way(message);
    if (handler === undefined) return false;
    const receiver = await handler.receiveSnapshot(snapshot.meta);
    let left = this.breakSnapshotAfterBytes ?? Infinity;
    for await (const bytes of snapshot.read(receiver.offset)) {
      left -= bytes.length;
      if (left < 0) {
        this.breakSnapshotAfterBytes = undefined;
        return false;
      }
      await receiver.append(bytes);
    }
    await receiver.finish();
    this.snapshotsSent++;
    this.carry(message, () => handler.receive(message));
    return true;
  }
}

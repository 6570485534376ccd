import { allocateSidecarPort } from '@lictor/mesh';
import type { NodeService } from '@lictor/protocol';
import type { LocalStore } from './persistence.ts';

/**
 * Which port each sidecar without one of its own was given. A sidecar keeps its port over re-registration, reload and restart;
 * the port is free again when the sidecar is deregistered.
 */
export class SidecarPorts {
  readonly #store: LocalStore;
  readonly #ports: Map<string, number>;

  constructor(store: LocalStore) {
    this.#store = store;
    this.#ports = new Map(Object.entries(store.loadSidecarPorts()));
  }

  /** @throws LictorError `rejected` when the range is used up or off */
  allocate(sidecarId: string, services: Iterable<NodeService>, range: { readonly min: number; readonly max: number }): number {
    const used = new Map<number, string>();
    let kept = this.#ports.get(sidecarId);
    for (const { ID, Port } of services) {
      if (ID !== sidecarId) used.set(Port, ID);
      // A port of the range that its owner chose stays, too, when the owner no longer names one.
      else if (Port >= range.min && Port <= range.max) kept = Port;
    }
    const previous = kept !== undefined && !used.has(kept) ? kept : undefined;
    // Ports kept for sidecars that are not registered at this moment of a restart or reload are not free either.
    const taken = new Set([...used.keys(), ...[...this.#ports].filter(([id]) => id !== sidecarId).map(([, port]) => port)]);
    const port = allocateSidecarPort(taken, previous, { minPort: range.min, maxPort: range.max });
    if (port !== this.#ports.get(sidecarId)) {
      this.#ports.set(sidecarId, port);
      this.#save();
    }
    return port;
  }

  release(sidecarId: string): void {
    if (this.#ports.delete(sidecarId)) this.#save();
  }

  /** Forgets ports of sidecars that did not come back. */
  retain(sidecarIds: ReadonlySet<string>): void {
    for (const id of this.#ports.keys()) if (!sidecarIds.has(id)) this.release(id);
  }

  #save(): void {
    this.#store.saveSidecarPorts(Object.fromEntries(this.#ports));
  }
}

/** What is wrong with the way of bytes from one agent to another. */
export interface LinkFaults {
  /** Nothing arrives, and nobody is told. */
  isCut: boolean;
  /** New connections are reset, and so are those that were open. */
  isRefusing: boolean;
  delayMs: number;
  /** Of datagrams, 0 to 1. */
  lossRate: number;
}

/** One direction between two agents. */
export class Link {
  readonly from: string;
  readonly to: string;
  #faults: LinkFaults = healthy();
  readonly #listeners = new Set<() => void>();

  constructor(from: string, to: string) {
    this.from = from;
    this.to = to;
  }

  get faults(): Readonly<LinkFaults> {
    return this.#faults;
  }

  change(faults: Partial<LinkFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
    for (const listener of this.#listeners) listener();
  }

  heal(): void {
    this.change(healthy());
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when bytes get through. */
  async passable(): Promise<void> {
    while (this.#faults.isCut) {
      await new Promise<void>((resolve) => {
        const unsubscribe = this.onChange(() => {
          unsubscribe();
          resolve();
        });
      });
    }
  }
}

/** All directions of a cluster. */
export class Links {
  readonly #links = new Map<string, Link>();

  constructor(agents: readonly string[]) {
    for (const from of agents) for (const to of agents) if (from !== to) this.#links.set(`${from} ${to}`, new Link(from, to));
  }

  /** @throws RangeError for two agents that are one, or of another cluster */
  between(from: string, to: string): Link {
    const link = this.#links.get(`${from} ${to}`);
    if (link === undefined) throw new RangeError(`there is no link from ${from} to ${to}`);
    return link;
  }

  all(): Iterable<Link> {
    return this.#links.values();
  }
}

function healthy(): LinkFaults {
  return { isCut: false, isRefusing: false, delayMs: 0, lossRate: 0 };
}

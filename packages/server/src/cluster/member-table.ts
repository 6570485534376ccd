import type { MemberStatus, ServerMember } from './directory.ts';

/** What servers tell each other about one of them. */
export interface MemberRecord extends Omit<ServerMember, 'status'> {
  /** Rises with each start of its process: what is said of an earlier life is old. */
  readonly incarnation: number;
  /** It went on purpose, or an operator says that it will not come back. */
  readonly hasLeft: boolean;
}

/** What one server says to another, and gets back. */
export interface Greeting {
  readonly from: MemberRecord;
  /** Everybody it knows, itself not included. */
  readonly known: readonly MemberRecord[];
  /** Ids of those that it hears now, itself included, sorted. */
  readonly alive: readonly string[];
}

/** What the log, and what is kept beside it, says of the servers of its cluster. */
export interface ClusterLog {
  /** Is it a member? */
  isPeer(id: string): boolean;
  /** Has it been heard as part of the cluster while it was a member, by this server or an earlier life of it? */
  hasTakenPart(id: string): boolean;
  noteTakingPart(id: string, takesPart: boolean): void;
}

const NO_LOG: ClusterLog = { isPeer: () => false, hasTakenPart: () => false, noteTakingPart: () => undefined };

interface Row {
  record: MemberRecord;
  /** Undefined: never directly. */
  heardMs: number | undefined;
  addedMs: number;
  status: MemberStatus;
  /** Whom it said that it hears, with its last greeting. */
  alive: readonly string[];
}

/** Silence after which a server counts as failed; it is asked once a second. */
const FAILED_AFTER_MS = 5000;
/** What is known of servers that are gone is forgotten then (consul-facts T022: reconnect timeout). */
const REAP_AFTER_MS = 72 * 3_600_000;
export const MAX_MEMBERS = 64;

/** Whom this server knows. No I/O: greetings and the time come in. */
export class MemberTable {
  #self: MemberRecord;
  readonly #rows = new Map<string, Row>();
  log = NO_LOG;

  constructor(self: MemberRecord) {
    this.#self = self;
  }

  get self(): MemberRecord {
    return this.#self;
  }

  /** True: others have to hear of it. */
  setSelf(change: Partial<Pick<MemberRecord, 'clusterId' | 'hasLeft'>>): void {
    this.#self = { ...this.#self, ...change };
  }

  greeting(): Greeting {
    return { from: this.#self, known: [...this.#rows.values()].map(({ record }) => record), alive: this.aliveIds() };
  }

  /**
   * Takes in what another server has said.
   * @returns why it is refused; undefined: it is taken
   */
  hear({ from, known, alive }: Greeting, nowMs: number): string | undefined {
    const refusal = this.#refusal(from);
    if (refusal !== undefined) return refusal;
    const row = this.#update(from, nowMs);
    if (row === undefined) return undefined;
    row.heardMs = nowMs;
    row.alive = alive;
    row.status = row.record.hasLeft ? 'left' : 'alive';
    for (const record of known) {
      if (record.id === this.#self.id) this.#outlive(record);
      else if (this.#refusal(record) === undefined) this.#update(record, nowMs);
    }
    return undefined;
  }

  /** Who fails by silence, and who is forgotten. True: something has changed. */
  settle(nowMs: number): boolean {
    let changed = false;
    for (const [id, row] of this.#rows) {
      const lastMs = row.heardMs ?? row.addedMs;
      if (nowMs - lastMs >= REAP_AFTER_MS) {
        this.#rows.delete(id);
        changed = true;
        continue;
      }
      const isSilent = row.heardMs === undefined || nowMs - row.heardMs >= FAILED_AFTER_MS;
      const status = row.record.hasLeft ? 'left' : isSilent ? 'failed' : 'alive';
      changed ||= status !== row.status;
      row.status = status;
    }
    return changed;
  }

  forceLeave(name: string): boolean {
    const row = [...this.#rows.values()].find(({ record }) => record.name === name);
    if (row === undefined) return false;
    if (row.status !== 'alive') row.record = { ...row.record, hasLeft: true };
    return true;
  }

  /** Where to say hello: everybody who has not left. */
  addresses(): readonly string[] {
    return [...this.#rows.values()].filter(({ record }) => !record.hasLeft).map(({ record }) => record.rpcAddress);
  }

  aliveIds(): readonly string[] {
    const ids = [...this.#rows.values()].filter(({ status }) => status === 'alive').map(({ record }) => record.id);
    return [this.#self.id, ...ids].sort();
  }

  /** Do all who are alive hear exactly each other? */
  agreesOnAlive(): boolean {
    const alive = this.aliveIds();
    return [...this.#rows.values()].every((row) => row.status !== 'alive' || sameIds(row.alive, alive));
  }

  /** Those whom only others have spoken of count once they have been heard, or have had the time for it. */
  members(nowMs: number): readonly ServerMember[] {
    const met = [...this.#rows.values()].filter(({ heardMs, addedMs }) => heardMs !== undefined || nowMs - addedMs >= FAILED_AFTER_MS);
    const others = met.map(({ record, status }) => memberOf(record, status));
    const self = memberOf(this.#self, this.#self.hasLeft ? 'left' : 'alive');
    return [self, ...others].sort((left, right) => (left.id < right.id ? -1 : 1));
  }

  /** Its clock went back before this start: what is known of an earlier life must not stand against what it says now. */
  #outlive({ incarnation }: MemberRecord): void {
    if (incarnation > this.#self.incarnation && incarnation < Number.MAX_SAFE_INTEGER) {
      this.#self = { ...this.#self, incarnation: incarnation + 1 };
    }
  }

  #update(record: MemberRecord, nowMs: number): Row | undefined {
    const row = this.#rows.get(record.id);
    if (row === undefined) {
      if (this.#rows.size >= MAX_MEMBERS) return undefined;
      const added: Row = { record, heardMs: undefined, addedMs: nowMs, status: record.hasLeft ? 'left' : 'failed', alive: [] };
      this.#rows.set(record.id, added);
      this.#remember(record);
      return added;
    }
    const isNewer = record.incarnation > row.record.incarnation;
    const isLater = record.incarnation === row.record.incarnation && (record.hasLeft || !row.record.hasLeft);
    // Within one life a server gets a cluster and never loses it.
    const isOld = !isNewer && row.record.clusterId !== '' && record.clusterId === '';
    if (isNewer || (isLater && !isOld)) {
      row.record = record;
      this.#remember(record);
    }
    return row;
  }

  /** Who takes part must not come back with nothing; who is out of the configuration may. */
  #remember({ id, clusterId }: MemberRecord): void {
    const { log } = this;
    if (this.#self.clusterId === '') return;
    const hasTakenPart = log.hasTakenPart(id);
    if (clusterId === this.#self.clusterId && !hasTakenPart && log.isPeer(id)) log.noteTakingPart(id, true);
    if (clusterId === '' && hasTakenPart && !log.isPeer(id)) log.noteTakingPart(id, false);
  }

  #refusal({ id, name, datacenter, clusterId }: MemberRecord): string | undefined {
    const self = this.#self;
    if (datacenter !== self.datacenter) return `server ${name} is of datacenter ${datacenter}, not ${self.datacenter}`;
    if (id === self.id) return `server ${name} has the node id of this server, ${id}`;
    // It has forgotten what it has voted for and acknowledged: it must not take its old place.
    const tookPart = this.#rows.get(id)?.record.clusterId === self.clusterId || this.log.hasTakenPart(id);
    if (clusterId === '' && self.clusterId !== '' && tookPart && this.log.isPeer(id)) {
      return `server ${name} has lost its log: it is taken in again once it is out of the Raft configuration (operator raft remove-peer -id=${id})`;
    }
    if (clusterId !== '' && self.clusterId !== '' && clusterId !== self.clusterId) {
      return `server ${name} belongs to another cluster, ${clusterId}: start it with an empty data directory to take it into ${self.clusterId}`;
    }
    const namesake =
      name === self.name ? self : [...this.#rows.values()].find((row) => row.record.name === name && row.status === 'alive')?.record;
    if (namesake !== undefined && namesake.id !== id) return `there is a server ${name} already, with node id ${namesake.id}`;
    return undefined;
  }
}

export function memberOf({ incarnation: _incarnation, hasLeft: _hasLeft, ...member }: MemberRecord, status: MemberStatus): ServerMember {
  return { ...member, status };
}

function sameIds(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((id, position) => id === right[position]);
}

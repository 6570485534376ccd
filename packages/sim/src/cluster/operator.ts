import type { Random } from '@lictor/protocol';
import { rpcAddressOf } from '../network/virtual-network.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { Cluster } from './cluster.ts';
import type { Machine } from './machine.ts';
import type { ServerProcess } from './process.ts';

/** With fewer voters one that fails would be one too many. */
const MIN_VOTERS = 3;

/** Who adds and removes servers, and replaces those whose disks are gone. One thing at a time. */
export class Operator {
  readonly #cluster: Cluster;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #isBusy = false;
  /** A machine with new disks, which is to vote again. */
  #replaced: Machine | undefined;
  #retired: string | undefined;
  changes = 0;

  constructor(cluster: Cluster, scheduler: Scheduler, random: Random) {
    this.#cluster = cluster;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Nothing is lost for good at the moment: another disk may be. */
  get isAtEase(): boolean {
    const { destroyed, rotten } = this.#cluster;
    return destroyed.size === 0 && rotten.size === 0 && this.#replaced === undefined && this.#retired === undefined;
  }

  /** What has to be done comes first; `mayChange`: then what may be done. */
  act(mayChange: boolean): void {
    const { leader } = this.#cluster;
    if (leader === undefined || this.#isBusy) return;
    const [lost] = this.#cluster.destroyed;
    if (lost !== undefined) this.#retire(leader, lost);
    else if (this.#retired !== undefined) this.#removeRetired(leader, this.#retired);
    else if (this.#replaced !== undefined) this.#addReplaced(leader, this.#replaced);
    else if (mayChange) this.#changeSomething(leader);
  }

  /** Its new disks begin with a new name: under the old one it may have voted. */
  #retire(leader: ServerProcess, machine: Machine): void {
    this.#retired = machine.nodeId;
    machine.replaceDisks();
    this.#cluster.destroyed.delete(machine);
    this.#replaced = machine;
    this.#cluster.restartLater(machine);
  }

  #removeRetired(leader: ServerProcess, id: string): void {
    const { consensus } = leader.server;
    const isMember = (): boolean => consensus.configuration().Servers.some(({ ID }) => ID === id);
    // Gone for good only when a quorum says so: a leader that is replaced may have seen a change that never was.
    const remove = async (): Promise<void> => {
      // As `operator raft remove-peer` does: autopilot is told not to take it in again at once.
      if (isMember()) await leader.server.port.call('Operator.RaftRemovePeer', { id }, {});
      else await consensus.barrier();
    };
    this.#change(leader, `remove ${id.slice(0, 8)}`, remove, () => {
      if (!isMember()) this.#retired = undefined;
    });
  }

  #addReplaced(leader: ServerProcess, machine: Machine): void {
    const process = this.#cluster.processOf(machine);
    if (process?.isUp !== true) {
      this.#cluster.start(machine);
      return;
    }
    const add = (): Promise<void> => leader.server.consensus.setServer(machine.nodeId, rpcAddressOf(machine.slot), true);
    this.#change(leader, `add ${machine.name}`, add, () => {
      this.#replaced = undefined;
    });
  }

  #changeSomething(leader: ServerProcess): void {
    const { consensus } = leader.server;
    const { Servers } = consensus.configuration();
    const voters = Servers.filter(({ Voter }) => Voter);
    const candidates = this.#cluster.up.map(({ machine }) => machine);
    const machine = candidates[Math.floor(this.#random.float() * candidates.length)];
    if (machine === undefined) return;
    const member = Servers.find(({ ID }) => ID === machine.nodeId);
    const address = rpcAddressOf(machine.slot);
    if (member === undefined) {
      const votes = this.#random.float() < 0.5;
      this.#change(leader, `add ${machine.name} ${String(votes)}`, () => consensus.setServer(machine.nodeId, address, votes));
    } else if (!member.Voter) {
      this.#change(leader, `promote ${machine.name}`, () => consensus.setServer(machine.nodeId, address, true));
    } else if (voters.length > MIN_VOTERS && this.#random.float() < 0.5) {
      this.#change(leader, `demote ${machine.name}`, () => consensus.setServer(machine.nodeId, address, false));
    } else if (voters.length > MIN_VOTERS) {
      this.#change(leader, `remove ${machine.name}`, () => consensus.removeServer(machine.nodeId));
    }
  }

  #change(leader: ServerProcess, what: string, make: () => Promise<void>, after: () => void = () => undefined): void {
    this.#isBusy = true;
    this.#scheduler.note('operator', leader.machine.name, what);
    let isOver = false;
    const finish = (how: string): void => {
      leader.host.onGone.delete(gone);
      if (isOver) return;
      isOver = true;
      this.#isBusy = false;
      this.#scheduler.note('operator', what, how);
    };
    const gone = (): void => finish('leader gone');
    leader.host.onGone.add(gone);
    this.#scheduler.at(0, leader, () => {
      make().then(
        () => {
          this.changes++;
          after();
          finish('done');
        },
        (thrown: unknown) => finish(thrown instanceof Error ? thrown.message : String(thrown)),
      );
    });
  }
}

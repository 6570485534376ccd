import { DEFAULT_AUTOPILOT, type RaftConfiguration, type RaftStats } from '@lictor/protocol';
import { FakeClock, MemoryLogger } from '@lictor/protocol/testing';
import type { ServerDirectory, ServerMember } from '../../cluster/directory.ts';
import type { Consensus } from '../../consensus/port.ts';
import { createScriptedConsensus, type ScriptedConsensus } from '../../testing/consensus.ts';
import { createTestStore, type TestStore } from '../../testing/store.ts';
import { type Autopilot, createAutopilot } from '../autopilot.ts';
import type { ProbeTarget } from '../probes.ts';
import { END, observe, type TestServer, testStats } from './observation.ts';

export interface TestCluster {
  readonly clock: FakeClock;
  readonly logger: MemoryLogger;
  readonly store: TestStore;
  readonly autopilot: Autopilot;
  /** Gauges as they were set last. */
  readonly gauges: Readonly<Record<string, number>>;
  /** Calls that changed Raft's membership, as text. */
  readonly changes: readonly string[];
  /** Whom was asked how it stands. */
  readonly asked: readonly string[];
  /** Replaces what the directory says, and tells its listeners. */
  know(servers: Readonly<Record<string, TestServer>>): void;
  /** What servers answer; absent ones do not. */
  answers: Record<string, Partial<RaftStats>>;
  /** Set to make changes of the membership fail. */
  refusal: Error | undefined;
  lead(isLeader: boolean): void;
  readonly propose: { failWith: Error | undefined };
}

/** Autopilot of server `a` over a Raft that does as it is told, a directory and answers that a test writes. */
export function createTestCluster(servers: Readonly<Record<string, TestServer>>): TestCluster {
  const clock = new FakeClock();
  const logger = new MemoryLogger();
  const store = createTestStore();
  const consensus: ScriptedConsensus = createScriptedConsensus((command) => store.apply(command.type, command.body));
  const first = observe(servers);
  let raft: RaftConfiguration['Servers'] = first.raft;
  let members: readonly ServerMember[] = first.members;
  const listeners = new Set<() => void>();
  const directory: ServerDirectory = {
    members: () => members,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    forceLeave: () => false,
  };
  const changes: string[] = [];
  const asked: string[] = [];
  const gauges: Record<string, number> = {};
  const change = async (text: string, next: RaftConfiguration['Servers']): Promise<void> => {
    changes.push(text);
    if (cluster.refusal !== undefined) throw cluster.refusal;
    raft = next;
  };
  const withMembership: Consensus = Object.create(consensus, {
    configuration: { value: (): RaftConfiguration => ({ Servers: raft, Index: 0 }) },
    stats: { value: () => testStats({ state: 'Leader', lastLogIndex: END.index, lastLogTerm: END.term, lastContactMs: 0 }) },
    setServer: {
      value: (id: string, address: string, isVoter: boolean) => {
        const server = { ID: id, Node: id, Address: address, Leader: id === 'a', ProtocolVersion: '3', Voter: isVoter, LastIndex: 0 };
        return change(`set ${id} ${address} ${isVoter ? 'voter' : 'non-voter'}`, [...raft.filter(({ ID }) => ID !== id), server]);
      },
    },
    removeServer: {
      value: (id: string) =>
        change(
          `remove ${id}`,
          raft.filter(({ ID }) => ID !== id),
        ),
    },
  }) as Consensus;
  const autopilot = createAutopilot(
    { nodeId: 'a', initial: DEFAULT_AUTOPILOT },
    {
      clock,
      logger,
      metrics: { incrCounter: () => undefined, addSample: () => undefined, setGauge: (name, value) => void (gauges[name] = value) },
      consensus: withMembership,
      directory,
      reader: () => store.reader(),
      propose: (type, body) => consensus.propose({ type, version: 1, timeMs: clock.now(), body }),
      fetchStats: (target: ProbeTarget, signal) => {
        asked.push(target.id);
        const answer = cluster.answers[target.id];
        if (answer !== undefined) return Promise.resolve(testStats(answer));
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late'))));
      },
    },
  );
  const cluster: TestCluster = {
    clock,
    logger,
    store,
    autopilot,
    gauges,
    changes,
    asked,
    answers: {},
    refusal: undefined,
    propose: consensus,
    know: (next) => {
      members = observe(next).members;
      for (const listener of listeners) listener();
    },
    lead: (isLeader) => consensus.lead(isLeader),
  };
  return cluster;
}

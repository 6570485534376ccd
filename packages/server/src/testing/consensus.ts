import type { RaftConfiguration } from '@lictor/protocol';
import type { Applied, Consensus } from '../consensus/index.ts';
import type { Command } from '../fsm/types.ts';

/** A log whose fate a test decides. */
export interface ScriptedConsensus extends Consensus {
  /** Every proposal, in order. */
  readonly proposals: Command[];
  /** Set to make proposals fail. */
  failWith: Error | undefined;
  lead(isLeader: boolean): void;
}

export function createScriptedConsensus(apply: (command: Command) => unknown = () => undefined): ScriptedConsensus {
  const listeners = new Set<(isLeader: boolean) => void>();
  const scripted: { -readonly [K in keyof ScriptedConsensus]: ScriptedConsensus[K] } = {
    proposals: [],
    failWith: undefined,
    isLeader: false,
    mayAnswerReads: true,
    leaderId: '',
    leaderAddress: '',
    lastContactMs: 0,
    appliedIndex: 0,
    term: 1,
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    barrier: () => Promise.resolve(),
    leaseBarrier: () => Promise.resolve(),
    restore: () => Promise.resolve(0),
    configuration: (): RaftConfiguration => ({ Servers: [], Index: 0 }),
    stats: () => ({
      id: '',
      state: scripted.isLeader ? 'Leader' : 'Follower',
      term: scripted.term,
      lastLogIndex: scripted.appliedIndex,
      lastLogTerm: scripted.term,
      commitIndex: scripted.appliedIndex,
      appliedIndex: scripted.appliedIndex,
      lastSnapshotIndex: 0,
      lastSnapshotTerm: 0,
      lastContactMs: scripted.lastContactMs,
      numPeers: 0,
    }),
    setServer: () => Promise.resolve(),
    removeServer: () => Promise.resolve(),
    transferLeadership: () => Promise.resolve(),
    onLeaderChange: () => () => undefined,
    propose: async <Result>(command: Command): Promise<Applied<Result>> => {
      scripted.proposals.push(command);
      if (scripted.failWith !== undefined) throw scripted.failWith;
      return { index: ++scripted.appliedIndex, result: apply(command) as Result };
    },
    onLeadershipChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    lead: (isLeader) => {
      scripted.isLeader = isLeader;
      for (const listener of listeners) listener(isLeader);
    },
  };
  return scripted;
}

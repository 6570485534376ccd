import type { Heartbeat } from './message.ts';
import { mustLead, type RaftState } from './state.ts';

/** How many rounds of heartbeats are remembered for the lease. */
const MAX_ROUNDS = 64;

export function broadcastHeartbeat(state: RaftState): void {
  const leadership = mustLead(state);
  leadership.round++;
  leadership.nextHeartbeatMs = state.nowMs + state.options.heartbeatMs;
  leadership.rounds.push({ round: leadership.round, sentMs: state.nowMs });
  if (leadership.rounds.length > MAX_ROUNDS) leadership.rounds.shift();
  for (const [to, progress] of leadership.progress) {
    if (to === state.id) continue;
    const commit = Math.min(progress.match, state.log.committed);
    const heartbeat: Heartbeat = { type: 'heartbeat', from: state.id, to, term: state.term, commit, round: leadership.round };
    state.sendNow(heartbeat);
  }
}

import { silentLogger } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { describe, expect, it } from 'vitest';
import { createServerConfig } from '../config.ts';
import { createScriptedConsensus } from '../testing/consensus.ts';
import { leaveCluster } from './leave.ts';
import { memberOf } from './member-table.ts';
import { selfRecord } from './self.ts';

/** A server of that many, which the others take out at once; what becomes of its leaving is in `log`. */
function leaving(count: number, leaveDrainMs: number) {
  const clock = new FakeClock();
  const log: string[] = [];
  const records = Array.from({ length: count }, (_, at) => selfRecord(createServerConfig({ nodeId: `s${at}` }), clock));
  const discovery = {
    members: () => records.map((record) => memberOf(record, 'alive')),
    leave: () => {
      log.push('goodbye');
      return Promise.resolve();
    },
  };
  const ports = { clock, logger: silentLogger, consensus: createScriptedConsensus(), discovery };
  void leaveCluster({ nodeId: 's0', leaveDrainMs }, ports).then(() => log.push('gone'));
  return { clock, log };
}

describe('a server that leaves (performance.leave_drain_time, consul-facts K062)', () => {
  it('serves on for as long after its goodbye', async () => {
    const { clock, log } = leaving(3, 5000);
    await clock.advance(4999);
    expect(log).toEqual(['goodbye']);
    await clock.advance(1);
    expect(log).toEqual(['goodbye', 'gone']);
  });

  it.each([
    ['it is not to', 3, 0],
    ['nobody else could be asked', 1, 5000],
  ])('goes at once when %s', async (_why, count, drainMs) => {
    const { clock, log } = leaving(count, drainMs);
    await clock.advance(0);
    expect(log).toEqual(['goodbye', 'gone']);
  });
});

// A server, alone, on a real disk, that is to be killed: `node victim.ts <folder>`. Proposes 1, 2, 3… and prints what was acknowledged.
import { join } from 'node:path';
import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { EMPTY_MEMBERSHIP } from '../../core/membership.ts';
import { DEFAULT_LIMITS } from '../../core/options.ts';
import { levelDisk } from '../../storage/level-disk.ts';
import { DiskLogStore } from '../../storage/log-store.ts';
import { FileSnapshotStore } from '../../storage/snapshot-store.ts';
import { systemFiles } from '../../storage/system-files.ts';
import { RaftNode } from '../node.ts';
import { DEFAULT_NODE_LIMITS } from '../options.ts';
import { ListMachine } from './list-machine.ts';
import { MemoryNetwork } from './memory-network.ts';

const IN_FLIGHT = 16;
const folder = process.argv[2] ?? '';
const log = new DiskLogStore(levelDisk(join(folder, 'log')));
const machine = new ListMachine();
const isFresh = (await log.load()).hardState.term === 0;
if (isFresh) await RaftNode.bootstrap(log, { ...EMPTY_MEMBERSHIP, voters: ['a'] });
const timing = { heartbeatMs: 20, electionTimeoutMs: 100, leaseMs: 80 };
const limits = { ...DEFAULT_LIMITS, ...DEFAULT_NODE_LIMITS, snapshotEntries: 300, snapshotIntervalMs: 0, trailingEntries: 20 };
const node = new RaftNode(
  { id: 'a', ...timing, ...limits },
  {
    log,
    snapshots: new FileSnapshotStore(systemFiles(join(folder, 'snapshots')), silentLogger),
    transport: new MemoryNetwork().transportOf('a'),
    machine,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: silentMetrics,
    onFailure: (error) => {
      process.stdout.write(`failed ${error.message}\n`);
      process.exit(1);
    },
  },
);
const leads = new Promise<void>((resolve) => {
  node.onStatus(({ role }) => {
    if (role === 'leader') resolve();
  });
});
await node.start();
const alive = setInterval(() => undefined, 1000);
await leads;
await node.read('quorum');
process.stdout.write(`recovered ${machine.commands.join(' ')}\n`);
let next = Number(machine.commands.at(-1) ?? 0) + 1;
const propose = async (): Promise<void> => {
  for (;;) {
    const command = String(next++);
    await node.propose(Buffer.from(command));
    process.stdout.write(`acknowledged ${command}\n`);
  }
};
await Promise.all(Array.from({ length: IN_FLIGHT }, propose));
clearInterval(alive);

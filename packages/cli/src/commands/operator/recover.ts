import { resolve } from 'node:path';
import { silentLogger } from '@lictor/protocol';
import { inspectDataDir, planRecovery, type RecoveryPlan, type Survivor, writePeers } from '@lictor/server';
import { CommandFailure, defineCommand, failing } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { booleanFlag, mapFlag } from '../../framework/flag-types.ts';
import { type Io, print } from '../../framework/io.ts';
import { describePlan, describeSurvivors } from './describe-recovery.ts';

export const command = defineCommand({
  synopsis: 'Recover the servers after a quorum is lost for good',
  usage: `
Usage: {program} operator recover [options] DATA-DIR ...

  For when so many servers are gone for good that the rest cannot elect a leader
  any more. Looks into the data directories of stopped servers, shows how far
  each one's log goes and what may be lost, asks, and then writes a peers.json
  that makes these servers a cluster of their own at their next start.

  Stop all servers first. Copies of the survivors' data directories on one
  machine can be compared in one go; the peers.json then has to be copied back to
  DATA-DIR/raft of each. Servers that are not in the new cluster have to begin
  with an empty data directory.

      $ {program} operator recover /var/lib/lictor
      $ {program} operator recover -yes survivor-1/ survivor-2/
`,
  flags: {
    yes: booleanFlag('Do not ask.'),
    'dry-run': booleanFlag('Show what would be done, and do nothing.'),
    server: mapFlag(
      'A server of the new cluster, in place of those that the directories and their logs name. May be given again.',
      'id=ip:port',
    ),
  },
  run: async ({ flags, args, io }) => {
    if (args.length === 0) throw new CommandFailure('Missing DATA-DIR argument');
    const survivors = await inspect(args, io);
    const plan = await failing('Error planning the recovery', async () => planRecovery(survivors, new Map(Object.entries(flags.server))));
    print(io, `${describeSurvivors(plan, survivors)}\n\n${describePlan(plan)}`);
    if (flags['dry-run']) return EXIT.ok;
    if (!flags.yes && !(await isConfirmed(io))) throw new CommandFailure('Nothing was changed.');
    await apply(plan, io);
    return EXIT.ok;
  },
});

/** One after the other: a log can fill the memory. */
async function inspect(dataDirs: readonly string[], io: Io): Promise<readonly Survivor[]> {
  const survivors: Survivor[] = [];
  for (const dataDir of dataDirs) {
    survivors.push(await failing('Error reading a data directory', () => inspectDataDir(resolve(io.cwd, dataDir), silentLogger)));
  }
  return survivors;
}

async function isConfirmed(io: Io): Promise<boolean> {
  io.stdout.write('\nType "yes" to make these servers a cluster of their own: ');
  let typed = '';
  for await (const chunk of io.stdin) {
    typed += Buffer.from(chunk).toString('utf8');
    if (typed.includes('\n') || typed.length > ANSWER_MAX_CHARS) break;
  }
  print(io, '');
  return typed.trim() === 'yes';
}

const ANSWER_MAX_CHARS = 100;

async function apply({ kept, dropped, peers }: RecoveryPlan, io: Io): Promise<void> {
  for (const { dataDir } of kept) {
    await failing(`Error writing peers.json to ${dataDir}`, () => writePeers(dataDir, peers));
    print(io, `Wrote ${dataDir}/raft/peers.json`);
  }
  print(io, `\nNow start ${kept.length === 1 ? 'this server' : 'these servers'}.`);
  if (dropped.length > 0)
    print(io, `Empty ${dropped.map(({ survivor }) => survivor.dataDir).join(' and ')} before those servers join again.`);
  print(io, 'Servers that are back from the dead must join with an empty data directory, too.');
}

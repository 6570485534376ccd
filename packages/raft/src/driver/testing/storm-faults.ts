import { randomInteger } from '@lictor/protocol';
import { RaftError } from '../../core/errors.ts';
import type { Storm, StormMember } from './storm.ts';

/** One thing that goes wrong, or is mended. */
export async function faultOf(storm: Storm): Promise<void> {
  const member = storm.pick();
  const { node } = member;
  if (node === undefined || member.disk.failure !== undefined) {
    if (storm.random.float() < 0.6) await restart(storm, member);
    return;
  }
  const fault = FAULTS[randomInteger(storm.random, FAULTS.length)];
  await fault?.(storm, member);
}

type Fault = (storm: Storm, member: StormMember) => Promise<void> | void;

const FAULTS: readonly Fault[] = [
  (storm, { id }) => storm.network.cut(id),
  (storm, { id }) => {
    for (const { id: other } of storm.members) if (other !== id && storm.random.float() < 0.6) storm.network.cutLink(other, id);
  },
  (storm) => storm.network.heal(),
  (storm) => storm.network.heal(),
  (storm, member) => storm.kill(member),
  killLeader,
  powerCut,
  breakDisk,
  slowDisk,
  slowDisk,
  slowMachine,
  slowMachine,
  (storm, { files }) => {
    files.failure = storm.random.float() < 0.5 ? new Error('ENOSPC: no space left on device') : undefined;
  },
  (storm, { clock }) => clock.stall(randomInteger(storm.random, 400)),
  transfer,
  changeMembers,
];

async function restart(storm: Storm, member: StormMember): Promise<void> {
  if (member.node !== undefined) await storm.kill(member);
  if (storm.random.float() < 0.4) await startDamaged(storm, member);
  else await storm.start(member);
}

/** Refused, or it does not matter; the operator then has the right bit again from somewhere. */
async function startDamaged(storm: Storm, member: StormMember): Promise<void> {
  const unflip = flipBit(storm, member);
  try {
    await storm.start(member);
  } catch (thrown) {
    if (!(thrown instanceof RaftError) || thrown.code !== 'corrupt') throw thrown;
    storm.refusedStarts++;
    unflip();
    await storm.start(member);
  }
}

function flipBit({ random }: Storm, { disk, files }: StormMember): () => void {
  const names = [...files.files.keys()].filter((name) => (files.files.get(name)?.length ?? 0) > 0);
  const flip = (act: (bit: number) => void, bytes: number): (() => void) => {
    const bit = randomInteger(random, bytes * 8);
    act(bit);
    return () => act(bit);
  };
  const name = names[randomInteger(random, names.length)];
  if (name !== undefined && random.float() < 0.3) return flip((bit) => files.flip(name, bit), files.files.get(name)?.length ?? 0);
  const index = disk.indexes[randomInteger(random, disk.indexes.length)] ?? 0;
  return flip((bit) => disk.flip(index, bit), disk.record(index)?.length ?? 0);
}

async function killLeader(storm: Storm): Promise<void> {
  const { leader } = storm;
  if (leader !== undefined) await storm.kill(leader);
}

/** All at once: what nobody has synced is gone. */
async function powerCut(storm: Storm): Promise<void> {
  for (const member of storm.members) await storm.kill(member);
  for (const member of storm.members) if (storm.random.float() < 0.8) await storm.start(member);
}

/** Full, or worse; whether the write was done is anybody's guess. */
function breakDisk({ random }: Storm, member: StormMember): void {
  member.mayFail = true;
  member.disk.failure = new Error(random.float() < 0.5 ? 'ENOSPC: no space left on device' : 'EIO: i/o error');
  member.disk.failsAfterWriting = random.float() < 0.5;
}

function slowDisk({ clock, random }: Storm, { disk }: StormMember): void {
  const delayMs = [5, 60, 300, 1500][randomInteger(random, 4)] ?? 5;
  disk.latency = () => new Promise((resolve) => clock.setTimer(random.float() * delayMs, resolve));
}

function slowMachine({ clock, random }: Storm, { machine }: StormMember): void {
  machine.latency = () =>
    random.float() < 0.5 ? undefined : new Promise((resolve) => clock.setTimer(random.float() * 200, () => resolve()));
}

function transfer(storm: Storm, { id }: StormMember): void {
  storm.leader?.node?.transferLeadership(id).catch(ignoreRefusal);
}

function changeMembers(storm: Storm, { id }: StormMember): void {
  const to = storm.random.float() < 0.4 ? 'learner' : 'voter';
  storm.leader?.node?.changeMembership([{ id, to }]).catch(ignoreRefusal);
}

function ignoreRefusal(thrown: unknown): void {
  if (!(thrown instanceof RaftError)) throw thrown;
}

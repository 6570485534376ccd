import { RaftError } from '../core/errors.ts';
import type { StoredSnapshot } from '../driver/ports.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { type Frame, SnapshotDecoder } from './snapshot-format.ts';

/** Told when a snapshot that was whole is found damaged. */
export type OnDamage = (name: string) => void;

/** Reads it all once: whoever gets it may rely on it. */
export async function openSnapshot(files: SnapshotFiles, name: string, onDamage: OnDamage = () => undefined): Promise<StoredSnapshot> {
  const decoder = new SnapshotDecoder();
  for await (const bytes of files.read(name, 0)) for (const _ of decoder.push(bytes)) continue;
  if (decoder.meta === undefined || !decoder.isComplete) throw new RaftError('corrupt', `the snapshot ${name} ends early`);
  if ((await files.sizeOf(name)) !== decoder.verifiedBytes) throw new RaftError('corrupt', `the snapshot ${name} goes on behind its end`);
  return { meta: decoder.meta, sizeBytes: decoder.verifiedBytes, ...readersOf(files, name, onDamage) };
}

/** From its beginning on, what is read is verified on the way; from anywhere else the receiver does that. */
export function readersOf(files: SnapshotFiles, name: string, onDamage: OnDamage): Pick<StoredSnapshot, 'read' | 'state'> {
  return {
    read: (offset = 0) => (offset === 0 ? bytesOf(files, name, onDamage) : files.read(name, offset)),
    state: () => stateOf(files, name, onDamage),
  };
}

async function* bytesOf(files: SnapshotFiles, name: string, onDamage: OnDamage): AsyncGenerator<Uint8Array> {
  for await (const { frame } of framesOf(files, name, onDamage)) yield frame;
}

async function* stateOf(files: SnapshotFiles, name: string, onDamage: OnDamage): AsyncGenerator<Uint8Array> {
  for await (const { data } of framesOf(files, name, onDamage)) if (data !== undefined) yield data;
}

async function* framesOf(files: SnapshotFiles, name: string, onDamage: OnDamage): AsyncGenerator<Frame> {
  const decoder = new SnapshotDecoder();
  try {
    for await (const bytes of files.read(name, 0)) yield* decoder.push(bytes);
    if (!decoder.isComplete) throw new RaftError('corrupt', `the snapshot ${name} ends early`);
  } catch (thrown) {
    if (thrown instanceof RaftError) onDamage(name);
    throw thrown;
  }
}

import { RaftError } from '../core/errors.ts';
import type { StoredSnapshot } from '../driver/ports.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import { SnapshotDecoder } from './snapshot-format.ts';

/** Reads it all once: whoever gets it may rely on it. */
export async function openSnapshot(files: SnapshotFiles, name: string): Promise<StoredSnapshot> {
  const decoder = new SnapshotDecoder();
  for await (const bytes of files.read(name, 0)) for (const _ of decoder.push(bytes)) continue;
  if (decoder.meta === undefined || !decoder.isComplete) throw new RaftError('corrupt', `the snapshot ${name} ends early`);
  if ((await files.sizeOf(name)) !== decoder.verifiedBytes) throw new RaftError('corrupt', `the snapshot ${name} goes on behind its end`);
  return { meta: decoder.meta, sizeBytes: decoder.verifiedBytes, ...readersOf(files, name) };
}

export function readersOf(files: SnapshotFiles, name: string): Pick<StoredSnapshot, 'read' | 'state'> {
  return { read: (offset = 0) => files.read(name, offset), state: () => stateOf(files, name) };
}

async function* stateOf(files: SnapshotFiles, name: string): AsyncGenerator<Uint8Array> {
  const decoder = new SnapshotDecoder();
  for await (const bytes of files.read(name, 0)) {
    for (const { data } of decoder.push(bytes)) if (data !== undefined) yield data;
  }
  if (!decoder.isComplete) throw new RaftError('corrupt', `the snapshot ${name} ends early`);
}

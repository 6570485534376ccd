import { LictorError } from '@lictor/protocol';
import type { SnapshotFiles } from '@lictor/raft';

const MAX_BYTES = 1024 * 1024;

/** Undefined when there is no such file. @throws LictorError when it is too large */
export async function readSmallFile(files: SnapshotFiles, name: string): Promise<string | undefined> {
  if (!(await files.list()).includes(name)) return undefined;
  if ((await files.sizeOf(name)) > MAX_BYTES) throw new LictorError('internal', `${name} is too large`);
  const parts: Uint8Array[] = [];
  for await (const part of files.read(name, 0)) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** Whole and durable when it resolves. */
export async function writeSmallFile(files: SnapshotFiles, name: string, text: string): Promise<void> {
  const file = await files.open(`${name}.tmp`, 0);
  try {
    await file.append(Buffer.from(text));
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(`${name}.tmp`, name);
}

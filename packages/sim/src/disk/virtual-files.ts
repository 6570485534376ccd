import { type Random, randomInteger } from '@lictor/protocol';
import type { SnapshotFile, SnapshotFiles } from '@lictor/raft';
import type { DiskPorts } from './disk-ports.ts';

interface Inode {
  bytes: Buffer;
  /** What a power cut leaves for certain. */
  synced: Buffer;
}

const READ_BYTES = 16 * 1024;

/** A machine's folder: contents are durable after a sync of the file, names after one of the folder. */
export class VirtualFiles {
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();

  /** For one process. */
  open(ports: DiskPorts): SnapshotFiles {
    return {
      list: async () => {
        await ports.wait();
        return [...this.#names.keys()];
      },
      sizeOf: (name) => Promise.resolve(this.#get(name).bytes.length),
      read: (name, offset) => readParts(() => this.#get(name), offset, ports),
      open: (name, keepBytes) => this.#open(name, keepBytes, ports),
      rename: async (from, to) => {
        const inode = this.#get(from);
        await ports.wait();
        this.#names.set(to, inode);
        this.#names.delete(from);
        this.#syncFolder();
      },
      remove: async (name) => {
        await ports.wait();
        this.#names.delete(name);
      },
    };
  }

  crash(random: Random): void {
    const survivors = new Map(this.#durableNames);
    // The folder may have been written out by itself.
    if (random.float() < 0.5) {
      survivors.clear();
      for (const [name, inode] of this.#names) survivors.set(name, inode);
    }
    this.#names.clear();
    for (const [name, inode] of survivors) {
      const bytes = tornBytes(inode, random);
      this.#names.set(name, { bytes, synced: bytes });
    }
    this.#syncFolder();
  }

  wipe(): void {
    this.#names.clear();
    this.#durableNames.clear();
  }

  get isEmpty(): boolean {
    return this.#names.size === 0;
  }

  /** One bit of a file that was acknowledged turns over. Which file; undefined: there is none. */
  flip(random: Random): string | undefined {
    const names = [...this.#durableNames.keys()].filter((name) => name.startsWith('snapshot-')).sort();
    const name = names[randomInteger(random, names.length)];
    const inode = name === undefined ? undefined : this.#durableNames.get(name);
    if (name === undefined || inode === undefined || inode.synced.length === 0) return undefined;
    const bytes = Buffer.from(inode.synced);
    const position = randomInteger(random, bytes.length);
    bytes[position] = (bytes[position] ?? 0) ^ (1 << randomInteger(random, 8));
    inode.bytes = bytes;
    inode.synced = bytes;
    return name;
  }

  async #open(name: string, keepBytes: number, ports: DiskPorts): Promise<SnapshotFile> {
    await ports.wait();
    const inode = this.#names.get(name) ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    inode.bytes = inode.bytes.subarray(0, keepBytes);
    this.#names.set(name, inode);
    let isOpen = true;
    const mustBeOpen = (): void => {
      if (!isOpen) throw Object.assign(new Error('EBADF: file closed'), { code: 'EBADF' });
    };
    return {
      append: async (bytes) => {
        mustBeOpen();
        const fault = ports.takeFault();
        if (fault !== undefined) throw Object.assign(new Error(`${fault}: the disk fails`), { code: fault });
        inode.bytes = Buffer.concat([inode.bytes, bytes]);
        await Promise.resolve();
      },
      sync: async () => {
        mustBeOpen();
        const { bytes } = inode;
        await ports.wait();
        inode.synced = bytes;
      },
      close: () => {
        isOpen = false;
        return Promise.resolve();
      },
    };
  }

  #syncFolder(): void {
    this.#durableNames.clear();
    for (const [name, inode] of this.#names) this.#durableNames.set(name, inode);
  }

  #get(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: no such file, ${name}`), { code: 'ENOENT' });
    return inode;
  }
}

/** Some of what was not synced is there, perhaps with a bit turned over. */
function tornBytes({ bytes, synced }: Inode, random: Random): Buffer {
  if (bytes === synced) return bytes;
  if (bytes.length < synced.length) return random.float() < 0.5 ? bytes : synced;
  const torn = Buffer.from(bytes.subarray(0, synced.length + randomInteger(random, bytes.length - synced.length + 1)));
  if (torn.length > synced.length && random.float() < 0.3) {
    const position = synced.length + randomInteger(random, torn.length - synced.length);
    torn[position] = (torn[position] ?? 0) ^ (1 << randomInteger(random, 8));
  }
  return torn;
}

/** A file that is removed meanwhile is read to its end. */
async function* readParts(inodeOf: () => Inode, offset: number, ports: DiskPorts): AsyncGenerator<Uint8Array> {
  await ports.wait();
  const { bytes } = inodeOf();
  for (let at = offset; at < bytes.length; at += READ_BYTES) {
    if (at > offset) await ports.wait();
    yield bytes.subarray(at, at + READ_BYTES);
  }
}

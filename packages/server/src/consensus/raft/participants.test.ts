import { silentLogger } from '@lictor/protocol';
import { MemoryLogger } from '@lictor/protocol/testing';
import { systemFiles } from '@lictor/raft';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Participants } from './participants.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lictor-participants-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function load(clusterId: string, logger = new MemoryLogger()): Promise<Participants> {
  const participants = new Participants(systemFiles(folder), logger);
  await participants.load(clusterId);
  return participants;
}

describe('who takes part in a cluster', () => {
  it('is known after a restart, and so is who does not any more', async () => {
    const first = await load('c1');
    for (const id of ['a', 'b', 'a']) first.note(id, true);
    first.note('b', false);
    await first.settled();
    const second = await load('c1');
    expect(['a', 'b', 'c'].map((id) => second.has(id))).toEqual([true, false, false]);
  });

  it('is not known of another cluster: peers.json has made this one anew', async () => {
    const first = await load('c1');
    first.note('a', true);
    await first.settled();
    expect((await load('c2')).has('a')).toBe(false);
  });

  it.each(['', '{', 'null', '{"Format":2,"ClusterID":"c1","NodeIDs":["a"]}'])(
    'is not known from a file that cannot be read: %s',
    async (text) => {
      await writeFile(join(folder, 'participants.json'), text);
      const logger = new MemoryLogger();
      expect((await load('c1', logger)).has('a')).toBe(false);
      expect(logger.lines.map(({ level }) => level)).toEqual(['warn']);
    },
  );

  it('is known without a disk for as long as the process runs, and when the disk fails', async () => {
    const inMemory = new Participants(null, silentLogger);
    await inMemory.load('c1');
    inMemory.note('a', true);
    expect(inMemory.has('a')).toBe(true);
    const logger = new MemoryLogger();
    const failing = new Participants({ ...systemFiles(folder), open: () => Promise.reject(new Error('ENOSPC')) }, logger);
    await failing.load('c1');
    failing.note('a', true);
    await failing.settled();
    expect(failing.has('a')).toBe(true);
    expect(logger.lines.map(({ message }) => message)).toEqual(['who takes part could not be noted']);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { seededRandom } from '@lictor/protocol/testing';

const VICTIM = join(import.meta.dirname, 'testing', 'victim.ts');
const ROUNDS = 5;
const folders: string[] = [];
const children: ChildProcess[] = [];

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** Runs until so many commands are acknowledged, and is killed in the midst of the next. */
async function live(folder: string, acknowledgements: number): Promise<{ readonly recovered: readonly number[]; readonly last: number }> {
  const child = spawn(process.execPath, ['--conditions=lictor-source', VICTIM, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  let recovered: readonly number[] = [];
  let last = 0;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, ...values] = line.split(' ');
    if (what === 'failed') throw new Error(line);
    if (what === 'recovered') recovered = values.filter((value) => value !== '').map(Number);
    else last = Math.max(last, Number(values[0]));
    if (what === 'acknowledged' && ++count === acknowledgements) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return { recovered, last: Math.max(last, recovered.at(-1) ?? 0) };
}

describe('a server on a real disk that is killed again and again (SIGKILL)', () => {
  it('has everything that it has acknowledged, once, and in order', { timeout: 60_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lictor-raft-kill-'));
    folders.push(folder);
    const random = seededRandom(1);
    let acknowledged = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { recovered, last } = await live(folder, 20 + Math.floor(random.float() * 600));
      expect(recovered.at(-1) ?? 0, `round ${round}`).toBeGreaterThanOrEqual(acknowledged);
      expect(recovered).toEqual(recovered.map((_, position) => position + 1));
      acknowledged = last;
    }
    expect(acknowledged).toBeGreaterThan(500);
  });
});

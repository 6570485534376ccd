import { type Random, randomInteger, silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createServerConfig } from '../config.ts';
import { createServer } from '../server.ts';

export interface KillRound {
  /** Writes acknowledged in this round. */
  readonly acknowledged: number;
  /** What is wrong, in words; nothing is. */
  readonly lost: readonly string[];
}

const CHILD = fileURLToPath(new URL('./kill9-child.ts', import.meta.url));
const WRITERS = 32;
/** Kept between rounds: each round starts above it. */
const COUNTERS_PER_ROUND = 1_000_000;

/**
 * One process that writes and is killed without warning at a random moment, and what its files then hold: every acknowledged
 * write must be there, and nothing newer than what could have been sent.
 */
export async function killRound(dataDir: string, round: number, random: Random, maxAcknowledged = 3000): Promise<KillRound> {
  const from = (round + 1) * COUNTERS_PER_ROUND;
  const acknowledged = await writeUntilKilled(dataDir, from, 1 + randomInteger(random, maxAcknowledged));
  const stored = await readCounters(dataDir);
  const lost: string[] = [];
  let total = 0;
  for (const [writer, counter] of acknowledged) {
    total += counter - from + 1;
    const found = stored.get(writer) ?? 0;
    if (found < counter) lost.push(`writer ${writer}: ${counter} was acknowledged, ${found} is stored`);
    if (found > counter + 1) lost.push(`writer ${writer}: ${found} is stored, ${counter + 1} was the last that can have been sent`);
  }
  return { acknowledged: total, lost };
}

function writeUntilKilled(dataDir: string, from: number, killAfter: number): Promise<Map<number, number>> {
  return new Promise((resolve, reject) => {
    const args = ['--conditions=lictor-source', CHILD, dataDir, String(WRITERS), String(from)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const acknowledged = new Map<number, number>();
    let text = '';
    let lines = 0;
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      const parts = (text + part).split('\n');
      text = parts.pop() ?? '';
      for (const line of parts) {
        const [writer, counter] = line.split(' ').map(Number);
        acknowledged.set(writer ?? 0, counter ?? 0);
      }
      lines += parts.length;
      if (lines >= killAfter) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', () => (lines === 0 ? reject(new Error('the child wrote nothing')) : resolve(acknowledged)));
  });
}

async function readCounters(dataDir: string): Promise<Map<number, number>> {
  const config = createServerConfig({ nodeId: 'kill9', dataDir, snapshotThreshold: 500 });
  const server = createServer(config, { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: silentMetrics });
  await server.start();
  const { value } = await server.port.call('KVS.List', { prefix: 'w' });
  await server.stop();
  return new Map(value.map((entry) => [Number(entry.Key.slice(1)), Number(Buffer.from(entry.Value).toString())]));
}

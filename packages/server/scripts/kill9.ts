import { systemRandom } from '@lictor/protocol/system';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killRound } from '../src/testing/kill9.ts';

/** `node --conditions=lictor-source packages/server/scripts/kill9.ts [rounds]`: exit status 1 when an acknowledged write is lost. */
const rounds = Number(process.argv[2] ?? '100');
const dataDir = await mkdtemp(join(tmpdir(), 'lictor-kill9-'));
let acknowledged = 0;
for (let round = 0; round < rounds; round++) {
  const result = await killRound(dataDir, round, systemRandom);
  acknowledged += result.acknowledged;
  if (result.lost.length > 0) {
    process.stdout.write(`round ${round}: LOST\n${result.lost.join('\n')}\nfiles: ${dataDir}\n`);
    process.exit(1);
  }
}
await rm(dataDir, { recursive: true });
process.stdout.write(`${rounds} kills, ${acknowledged} acknowledged writes, none lost\n`);

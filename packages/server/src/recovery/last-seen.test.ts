import { LictorError, silentLogger, silentMetrics } from '@lictor/protocol';
import { FakeClock, MemoryLogger, seededRandom } from '@lictor/protocol/testing';
import { systemFiles } from '@lictor/raft';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerConfig } from '../config.ts';
import { createServer, type Server } from '../server.ts';
import { LastSeen } from './last-seen.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 168 * HOUR_MS;

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'lictor-last-seen-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

function serverAt(clock: FakeClock): Server {
  const config = createServerConfig({ nodeId: '00000000-0000-0000-0000-000000000001', dataDir, connectEnabled: false });
  return createServer(config, { clock, random: seededRandom(1), logger: silentLogger, metrics: silentMetrics });
}

async function lastSeen(): Promise<unknown> {
  return JSON.parse(await readFile(join(dataDir, 'server_metadata.json'), 'utf8'));
}

function seenAt(clock: FakeClock): { readonly last_seen_unix: number } {
  return { last_seen_unix: Math.floor(clock.now() / 1000) };
}

describe('a server that was away (server_rejoin_age_max, consul-facts O015)', () => {
  it('starts within the age, and refuses to after it, until its file is deleted', async () => {
    const clock = new FakeClock();
    const first = serverAt(clock);
    await first.start();
    await clock.advance(HOUR_MS / 2);
    await first.stop();
    expect(await lastSeen()).toEqual(seenAt(clock));
    await clock.advance(WEEK_MS);
    const second = serverAt(clock);
    await second.start();
    await second.stop();
    await clock.advance(WEEK_MS + 1000);
    const late = serverAt(clock);
    await expect(late.start()).rejects.toThrow(
      'refusing to rejoin cluster because server has been offline for more than the configured server_rejoin_age_max (168h0m0s) - consider wiping your data dir',
    );
    await late.stop();
    const again = serverAt(clock);
    await expect(again.start()).rejects.toMatchObject({ code: 'rejected' });
    await again.stop();
    await rm(join(dataDir, 'server_metadata.json'));
    const allowed = serverAt(clock);
    await allowed.start();
    expect(allowed.consensus.isLeader).toBe(true);
    await allowed.stop();
  });

  it('has noted it within the last hour when it is killed', async () => {
    const clock = new FakeClock();
    const kept = new LastSeen(WEEK_MS, { clock, logger: silentLogger, files: systemFiles(dataDir) });
    kept.start();
    await clock.advance(HOUR_MS);
    const hourly = seenAt(clock);
    await expect.poll(lastSeen).toEqual(hourly);
    await clock.advance(HOUR_MS - 1);
    expect(await lastSeen()).toEqual(hourly);
    await kept.stop();
  });

  it('does not start on a file that it cannot read', async () => {
    const kept = new LastSeen(WEEK_MS, { clock: new FakeClock(), logger: silentLogger, files: systemFiles(dataDir) });
    for (const text of ['', '{', '{}', 'null', '{"last_seen_unix":"1"}']) {
      await writeFile(join(dataDir, 'server_metadata.json'), text);
      await expect(kept.check(), text).rejects.toThrow('error reading server metadata');
    }
  });

  it('runs on when the note cannot be written, and says so', async () => {
    const logger = new MemoryLogger();
    const files = { ...systemFiles(dataDir), open: () => Promise.reject(new LictorError('internal', 'ENOSPC')) };
    const kept = new LastSeen(WEEK_MS, { clock: new FakeClock(), logger, files });
    kept.start();
    await kept.stop();
    expect(logger.lines.map(({ message }) => message)).toContain('failed to write server metadata');
  });
});

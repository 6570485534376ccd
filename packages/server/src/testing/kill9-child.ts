import { silentLogger, silentMetrics } from '@lictor/protocol';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { writeSync } from 'node:fs';
import { createServerConfig } from '../config.ts';
import { createServer } from '../server.ts';

/**
 * Run as a process: writes ever higher counters to one key per writer, and says on stdout which have been acknowledged:
 * `<writer> <counter>` a line. Lives until it is killed.
 */
const [dataDir = '', writers = '32', from = '1'] = process.argv.slice(2);

const config = createServerConfig({ nodeId: 'kill9', dataDir, snapshotThreshold: 500, snapshotIntervalMs: 20, trailingLogs: 100 });
const server = createServer(config, { clock: systemClock, random: systemRandom, logger: silentLogger, metrics: silentMetrics });
await server.start();
await Promise.all(Array.from({ length: Number(writers) }, (_, writer) => write(writer)));

async function write(writer: number): Promise<never> {
  for (let counter = Number(from); ; counter++) {
    const entry = { Key: `w${writer}`, Value: Buffer.from(String(counter)), Flags: 0, Session: '', ModifyIndex: 0 };
    await server.port.call('KVS.Apply', { operation: 'set', entry });
    // Not through process.stdout: what its buffer holds dies with the process, and acknowledgements would be missing.
    writeSync(1, `${writer} ${counter}\n`);
  }
}

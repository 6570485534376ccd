import { crc32 } from 'node:zlib';
import { type Clock, type Random, randomUuid } from '@lictor/protocol';
import { RESTORE_BEGIN, RESTORE_CHUNK, RESTORE_COMMIT } from '../../fsm/commands/restore.ts';
import type { Command } from '../../fsm/types.ts';
import type { Applied } from '../port.ts';

export interface RestorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly propose: (command: Command) => Promise<Applied<unknown>>;
}

const CHUNK_BYTES = 512 * 1024;
/** Parts that wait for their quorum at once. */
const IN_FLIGHT = 8;

/**
 * A state goes into the log in parts, and every server takes it when it applies the last one (docs/decisions/0005).
 * @returns the index of the restored state
 */
export async function restoreThroughLog(state: Uint8Array, { clock, random, propose }: RestorePorts): Promise<number> {
  const id = randomUuid(random);
  const send = (type: string, body: unknown): Promise<Applied<unknown>> => propose({ type, version: 1, timeMs: clock.now(), body });
  await send(RESTORE_BEGIN, { id });
  const chunks = Math.ceil(state.length / CHUNK_BYTES);
  for (let from = 0; from < chunks; from += IN_FLIGHT) {
    const numbers = Array.from({ length: Math.min(IN_FLIGHT, chunks - from) }, (_, at) => from + at);
    await Promise.all(
      numbers.map((number) => {
        const bytes = state.subarray(number * CHUNK_BYTES, (number + 1) * CHUNK_BYTES);
        return send(RESTORE_CHUNK, { id, number, bytes });
      }),
    );
  }
  const { index } = await send(RESTORE_COMMIT, { id, chunks, checksum: crc32(state) });
  return index;
}

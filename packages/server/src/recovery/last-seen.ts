import { type Clock, formatDuration, LictorError, type Logger, type Timer } from '@lictor/protocol';
import type { SnapshotFiles } from '@lictor/raft';
import { readSmallFile, writeSmallFile } from '../consensus/raft/small-files.ts';

export interface LastSeenPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the data directory. */
  readonly files: SnapshotFiles;
}

/** Consul's file: its operators know what to delete. */
const FILE = 'server_metadata.json';
const SAVE_EVERY_MS = 3_600_000;

/**
 * Keeps when this server ran last: one that was away for long, and that the others have given up, must not come back by accident
 * (`server_rejoin_age_max`, consul-facts O015).
 */
export class LastSeen {
  readonly #maxAgeMs: number;
  readonly #ports: LastSeenPorts;
  #timer: Timer | undefined;
  #saved = Promise.resolve();

  constructor(maxAgeMs: number, ports: LastSeenPorts) {
    this.#maxAgeMs = maxAgeMs;
    this.#ports = ports;
  }

  /** Before anything of the server starts. @throws LictorError `rejected`: it was away for too long */
  async check(): Promise<void> {
    const { clock, files } = this.#ports;
    const text = await readSmallFile(files, FILE);
    if (text === undefined || clock.now() - parseLastSeenMs(text) <= this.#maxAgeMs) return;
    const age = formatDuration(this.#maxAgeMs);
    throw new LictorError(
      'rejected',
      `refusing to rejoin cluster because server has been offline for more than the configured server_rejoin_age_max (${age}) - consider wiping your data dir, or delete ${FILE} there to go on with what it holds`,
    );
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#save();
    this.#arm();
  }

  /** Its age counts from now, if it has started. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#save();
    await this.#saved;
  }

  #arm(): void {
    this.#timer = this.#ports.clock.setTimer(SAVE_EVERY_MS, () => {
      this.#save();
      this.#arm();
    });
  }

  #save(): void {
    const { clock, files, logger } = this.#ports;
    const text = JSON.stringify({ last_seen_unix: Math.floor(clock.now() / 1000) });
    this.#saved = this.#saved
      .then(() => writeSmallFile(files, FILE, text))
      .catch((error: unknown) => logger.error('failed to write server metadata', { error: LictorError.from(error) }));
  }
}

function parseLastSeenMs(text: string): number {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new LictorError('internal', `error reading server metadata: ${FILE} is damaged`, { cause: thrown });
  }
  const { last_seen_unix: seconds } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof seconds !== 'number') throw new LictorError('internal', `error reading server metadata: ${FILE} is damaged`);
  return seconds * 1000;
}

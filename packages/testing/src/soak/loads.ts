import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import type { LictorClient } from '@lictor/sdk';

/** What a load has done so far. */
export interface LoadCount {
  readonly name: string;
  done: number;
  failed: number;
  lastFailure: string;
}

const KEYS = 1000;
const KEY_BYTES = 256;
const CHURNING = 20;
/** Each removal is remembered for 15 minutes (0.7 KiB): what is not over before that must not look like growth. */
const CHURN_PAUSE_MS = 1000;
const WATCHERS = 40;
const WAIT_MS = 20_000;
const ANSWER_MS = 5_000;

/** Work for a mesh, over and over, within bounds: after a while nothing of it grows. */
export class Loads {
  readonly counts: LoadCount[] = [];
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];

  /** Writes keys and reads them; makes sessions, locks with them and ends them; registers and takes away services; watches all of it. */
  startApi(client: LictorClient): void {
    const value = 'x'.repeat(KEY_BYTES);
    this.#repeat('writes of keys', 20, async (turn) => void (await client.kv.put(`soak/${turn % KEYS}`, `${turn} ${value}`)));
    this.#repeat('reads of keys', 20, async (turn) => void (await client.kv.get(`soak/${turn % KEYS}`)));
    this.#repeat('sessions and locks', CHURN_PAUSE_MS, async (turn) => {
      const session = await client.session.create({ TTL: '10s', LockDelay: '1ms' });
      await client.kv.put(`soak-lock/${turn % 10}`, 'locked', { acquire: session });
      // Some are left to the end of their time.
      if (turn % 5 > 0) await client.session.destroy(session);
    });
    this.#repeat('registrations', CHURN_PAUSE_MS, async (turn) => {
      const Name = `churn-${turn % CHURNING}`;
      await client.agent.registerService({ Name, Port: 9, Tags: [`turn-${turn}`], Check: { TTL: '60s' } });
      if (turn >= CHURNING / 2) await client.agent.deregisterService(`churn-${(turn + CHURNING / 2) % CHURNING}`);
    });
    this.#repeat('leaves and roots', 500, async () => {
      await client.agent.connectLeaf('web');
      await client.agent.connectRoots();
    });
    for (let watcher = 0; watcher < WATCHERS; watcher++) this.#watch(client, watcher);
  }

  /** Says something to a program through sidecars, and waits for the echo. */
  startTraffic(port: number): void {
    this.#repeat('calls through sidecars', 20, (turn) => call(port, `hello ${turn}`));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#running);
  }

  #watch(client: LictorClient, watcher: number): void {
    let index = 0;
    this.#repeat('blocking queries', 0, async () => {
      const options = { waitMs: WAIT_MS, index, signal: this.#stopping.signal };
      const { meta } = await (watcher % 2 === 0
        ? client.kv.get(`soak/${watcher}`, options)
        : client.health.service(`churn-${watcher % CHURNING}`, { ...options, cached: true }));
      index = meta.index;
    });
  }

  #repeat(name: string, pauseMs: number, act: (turn: number) => Promise<void>): void {
    const count = this.counts.find((each) => each.name === name) ?? { name, done: 0, failed: 0, lastFailure: '' };
    if (!this.counts.includes(count)) this.counts.push(count);
    const { signal } = this.#stopping;
    const run = async (): Promise<void> => {
      for (let turn = 0; !signal.aborted; turn++) {
        try {
          await act(turn);
          count.done++;
        } catch (thrown) {
          if (signal.aborted) return;
          count.failed++;
          count.lastFailure = thrown instanceof Error ? thrown.message : String(thrown);
          await pause(500);
        }
        await pause(pauseMs);
      }
    };
    this.#running.push(run());
  }
}

/** A program that says everything again. */
export async function startEcho(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function call(port: number, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => void socket.write(text));
    const late = setTimeout(() => socket.destroy(new Error('no answer in time')), ANSWER_MS);
    socket.once('data', (bytes) => {
      if (bytes.toString() === text) resolve();
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('closed without an answer'));
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

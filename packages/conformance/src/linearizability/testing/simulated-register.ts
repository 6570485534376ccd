import type { Random } from '@lictor/protocol';
import type { Answer, Call, Operation, Outcome } from '../operation.ts';

export interface SimulationOptions {
  readonly clients: number;
  readonly keys: number;
  readonly operations: number;
  /** How often the answer is lost, 0 to 1. */
  readonly unknownShare: number;
}

interface Stored {
  readonly value: string;
  readonly index: number;
}

interface Client {
  readonly name: string;
  freeAtMs: number;
  readonly seen: Map<string, number>;
}

interface Effect {
  readonly atMs: number;
  run(): void;
}

const DELAY_MS_MAX = 10;

/** A history of clients of a store that is linearizable by construction: each call takes effect at one moment between call and return. */
export function simulateHistory(random: Random, options: SimulationOptions): Operation[] {
  const store = new Store();
  const clients = Array.from({ length: options.clients }, (_, position): Client => newClient(`c${position}`));
  const history: Operation[] = [];
  const effects: Effect[] = [];
  for (let sequence = 0; sequence < options.operations; sequence++) {
    const client = clients.reduce((first, other) => (other.freeAtMs < first.freeAtMs ? other : first));
    // Nothing that is still to be called can take effect before this.
    runUntil(effects, client.freeAtMs);
    const callMs = client.freeAtMs + random.float();
    const key = `k${Math.floor(random.float() * options.keys)}`;
    const call = chooseCall(random, client, key, `v${sequence}`);
    const lost = random.float() < options.unknownShare;
    const atMs = callMs + random.float() * DELAY_MS_MAX * (lost ? 10 : 1);
    const returnMs = atMs + random.float() * DELAY_MS_MAX;
    let outcome: Outcome = { status: 'unknown' };
    const happens = !lost || random.float() < 0.5;
    if (happens) {
      effects.push({
        atMs,
        run: () => {
          const answer = store.apply(key, call);
          if (lost) return;
          outcome = { status: 'ok', returnMs, answer };
          if ('index' in answer && answer.index !== undefined) client.seen.set(key, answer.index);
        },
      });
    }
    history.push({
      client: client.name,
      key,
      call,
      callMs,
      get outcome() {
        return outcome;
      },
    });
    client.freeAtMs = returnMs;
  }
  runUntil(effects, Number.POSITIVE_INFINITY);
  return history.map((operation) => ({ ...operation, outcome: operation.outcome }));
}

class Store {
  readonly #stored = new Map<string, Stored>();
  #index = 10;

  apply(key: string, call: Call): Answer {
    const stored = this.#stored.get(key);
    this.#index += 1;
    switch (call.kind) {
      case 'get':
        return stored === undefined ? { found: false } : { found: true, ...stored };
      case 'put':
        this.#stored.set(key, { value: call.value, index: this.#index });
        return { applied: true };
      case 'cas': {
        const applied = call.index === (stored?.index ?? 0);
        if (applied) this.#stored.set(key, { value: call.value, index: this.#index });
        return { applied };
      }
      case 'delete': {
        const applied = call.index === undefined || stored === undefined || stored.index === call.index;
        if (applied) this.#stored.delete(key);
        return { applied };
      }
    }
  }
}

function newClient(name: string): Client {
  return { name, freeAtMs: 0, seen: new Map() };
}

function chooseCall(random: Random, client: Client, key: string, value: string): Call {
  const draw = random.float();
  const index = client.seen.get(key) ?? 0;
  if (draw < 0.45) return { kind: 'get' };
  if (draw < 0.7) return { kind: 'put', value };
  if (draw < 0.9) return { kind: 'cas', index, value };
  return draw < 0.95 && index > 0 ? { kind: 'delete', index } : { kind: 'delete' };
}

/** In order of time: an effect may be pushed after a later one. */
function runUntil(effects: Effect[], untilMs: number): void {
  effects.sort((a, b) => a.atMs - b.atMs);
  const due = effects.findIndex(({ atMs }) => atMs > untilMs);
  for (const effect of effects.splice(0, due < 0 ? effects.length : due)) effect.run();
}

import { Secret } from '@lictor/protocol';
import { decodeKey, type Keyring } from '../keyring/index.ts';
import { INTERNAL_QUERY_PREFIX, type SerfQuery } from '../serf/index.ts';
import type { QueryResponse } from '../types.ts';
import type { PendingQueries } from './pending-queries.ts';

const OPERATIONS = ['list', 'install', 'use', 'remove'] as const;
type Operation = (typeof OPERATIONS)[number];
const PREFIX = `${INTERNAL_QUERY_PREFIX}keys_`;

/** What the pool has answered to a change or a listing of keys. */
export interface KeyResult {
  /** Members that were there to be asked. */
  readonly members: number;
  readonly answered: number;
  /** What went wrong, by member's name. */
  readonly errors: ReadonlyMap<string, string>;
  /** Base64, with the number of members that have it installed. Of `list` only. */
  readonly keys: ReadonlyMap<string, number>;
  /** …and with the number of those that send with it. */
  readonly primaryKeys: ReadonlyMap<string, number>;
}

export interface KeyOptions {
  /** Members through which each answer goes besides: for networks that lose much. */
  readonly relays?: number;
}

interface Answer {
  readonly error?: string;
  /** The primary one first. */
  readonly keys?: readonly string[];
}

export interface KeyManagerPorts {
  /** Of this member. */
  readonly name: () => string;
  /** Names of the members that are there to answer, this one among them. */
  readonly alive: () => readonly string[];
  readonly onChanged: ((keys: readonly Secret[]) => void) | undefined;
  /** Whether what this member sends is encrypted, once there are keys. */
  readonly sealsOutgoing: boolean;
}

/** With names of 128 bytes, more do not fit into a query's 1024; a pool that misses so many has other troubles. */
const MAX_ASKED_AGAIN = 5;

/** Serf's words (observed: keyring). */
const NO_KEYS = 'Keyring is empty (encryption not enabled)';
const NOTHING_TO_MODIFY = 'No keyring to modify (encryption not enabled)';
/** A key that was sent in plain text is none. */
const NOT_SEALED = 'keys are not sent in plain text: this member does not encrypt what it sends (encrypt_verify_outgoing)';

/** Keys of the whole pool, by queries that all members answer. */
export class KeyManager {
  readonly #ring: Keyring;
  readonly #queries: Pick<PendingQueries, 'ask'>;
  readonly #name: () => string;
  readonly #alive: () => readonly string[];
  readonly #onChanged: ((keys: readonly Secret[]) => void) | undefined;
  readonly #sealsOutgoing: boolean;

  constructor(ring: Keyring, queries: Pick<PendingQueries, 'ask'>, { name, alive, onChanged, sealsOutgoing }: KeyManagerPorts) {
    this.#ring = ring;
    this.#queries = queries;
    this.#name = name;
    this.#alive = alive;
    this.#onChanged = onChanged;
    this.#sealsOutgoing = sealsOutgoing;
  }

  get isEncrypted(): boolean {
    return !this.#ring.isEmpty;
  }

  /** This member's own keys, the primary one first. */
  own(): Secret[] {
    return this.#ring.keys();
  }

  /** Members without encryption say so among the errors. @throws GossipError `overloaded`, `stopped` */
  list(options: KeyOptions = {}): Promise<KeyResult> {
    return this.#ask('list', new Uint8Array(0), options);
  }

  /** @throws GossipError `invalid` (no key), `overloaded`, `stopped` */
  install(key: Secret, options: KeyOptions = {}): Promise<KeyResult> {
    return this.#change('install', key, options);
  }

  /** Sends with it from now on. @throws GossipError as `install` */
  use(key: Secret, options: KeyOptions = {}): Promise<KeyResult> {
    return this.#change('use', key, options);
  }

  /** @throws GossipError as `install` */
  remove(key: Secret, options: KeyOptions = {}): Promise<KeyResult> {
    return this.#change('remove', key, options);
  }

  handles(name: string): boolean {
    return name.startsWith(PREFIX);
  }

  /** This member's answer to a query of another one. */
  answer(name: string, payload: Uint8Array): Uint8Array {
    return new TextEncoder().encode(JSON.stringify(this.#perform(name.slice(PREFIX.length), payload)));
  }

  #perform(operation: string, payload: Uint8Array): Answer {
    if (!this.isEncrypted) return { error: operation === 'list' ? NO_KEYS : NOTHING_TO_MODIFY };
    if (operation === 'list' && !this.#sealsOutgoing) return { error: NOT_SEALED };
    try {
      const key = new Secret(new TextDecoder().decode(payload));
      if (operation === 'list') return { keys: this.#ring.keys().map((each) => each.reveal()) };
      if (operation === 'install') this.#ring.install(key);
      else if (operation === 'use') this.#ring.use(key);
      else if (operation === 'remove') this.#ring.remove(key);
      else return { error: `unknown operation on keys: ${operation}` };
      this.#onChanged?.(this.#ring.keys());
      return {};
    } catch (error) {
      return { error: error instanceof Error ? error.message.slice(0, 200) : 'failed' };
    }
  }

  async #change(operation: Operation, key: Secret, options: KeyOptions): Promise<KeyResult> {
    decodeKey(key);
    if (!this.isEncrypted) return this.#refused(NOTHING_TO_MODIFY);
    if (!this.#sealsOutgoing) return this.#refused(NOT_SEALED);
    return this.#ask(operation, new TextEncoder().encode(key.reveal()), options);
  }

  #refused(why: string): KeyResult {
    return { members: this.#alive().length, answered: 1, errors: new Map([[this.#name(), why]]), keys: new Map(), primaryKeys: new Map() };
  }

  async #ask(operation: Operation, payload: Uint8Array, { relays = 0 }: KeyOptions): Promise<KeyResult> {
    const members = this.#alive();
    const responses = await this.#askTwice(members, { name: `${PREFIX}${operation}`, payload, relays });
    const errors = new Map<string, string>();
    const keys = new Map<string, number>();
    const primaryKeys = new Map<string, number>();
    for (const { from, payload: bytes } of responses) {
      const answer = parseAnswer(bytes);
      if (answer.error !== undefined) errors.set(from, answer.error);
      answer.keys?.forEach((key, place) => {
        keys.set(key, (keys.get(key) ?? 0) + 1);
        if (place === 0) primaryKeys.set(key, (primaryKeys.get(key) ?? 0) + 1);
      });
    }
    return { members: members.length, answered: responses.length, errors, keys, primaryKeys };
  }

  /**
   * A rumour that each member passes on only a few times misses one of five members in one query of two hundred, before any loss of the
   * network's. A key that one member lacks parts that member from the others, so those that were silent are asked once more.
   */
  async #askTwice(members: readonly string[], request: SerfQuery): Promise<readonly QueryResponse[]> {
    const first = await this.#queries.ask(request, { enough: members.length });
    const heard = new Set(first.map(({ from }) => from));
    const alive = new Set(this.#alive());
    const silent = members.filter((name) => !heard.has(name) && alive.has(name));
    if (silent.length === 0 || silent.length > MAX_ASKED_AGAIN) return first;
    const second = await this.#queries.ask({ ...request, nodes: silent }, { enough: silent.length });
    return [...first, ...second];
  }
}

function parseAnswer(bytes: Uint8Array): Answer {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value !== 'object' || value === null) return { error: 'no answer' };
    const { error, keys } = value as { readonly error?: unknown; readonly keys?: unknown };
    if (typeof error === 'string') return { error };
    return Array.isArray(keys) ? { keys: keys.filter((key) => typeof key === 'string') } : {};
  } catch {
    return { error: 'no answer' };
  }
}

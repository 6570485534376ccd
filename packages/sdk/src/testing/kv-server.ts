import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type SeenRequest, startServer, type TestServer } from './http-server.ts';

interface Entry {
  readonly value: string;
  readonly flags: string;
  readonly session: string;
  readonly createIndex: number;
  readonly modifyIndex: number;
  readonly lockIndex: number;
}

export interface KvServer extends TestServer {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly sessions: ReadonlySet<string>;
  /** Ends a session as a failed node does: its locks are released at once, without a lock-delay. */
  invalidate(session: string): void;
}

/**
 * Just enough of /v1/kv and /v1/session for locks: indexes, blocking reads, cas, acquire and release. A stand-in because the
 * SDK must not depend on the server; the same recipes run against a real agent in the Go client's own lock tests.
 */
export async function startKvServer(): Promise<KvServer> {
  const store = new Store();
  const server = await startServer((request, response) => respond(store, request, response));
  return { ...server, entries: store.entries, sessions: store.sessions, invalidate: (session) => store.invalidate(session) };
}

class Store {
  readonly entries = new Map<string, Entry>();
  readonly sessions = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #index = 1;

  put(key: string, query: URLSearchParams, value: string): boolean {
    const known = this.entries.get(key);
    const cas = query.get('cas');
    if (cas !== null && Number(cas) !== (known?.modifyIndex ?? 0)) return false;
    const acquire = query.get('acquire');
    if (acquire !== null && !this.#mayAcquire(acquire, known)) return false;
    const release = query.get('release');
    if (release !== null && known?.session !== release) return false;
    const session = acquire ?? (release === null ? (known?.session ?? '') : '');
    this.#write(key, { value, flags: query.get('flags') ?? '0', session, lockIndex: (known?.lockIndex ?? 0) + (acquire === null ? 0 : 1) });
    return true;
  }

  delete(key: string, query: URLSearchParams): boolean {
    const cas = query.get('cas');
    if (cas !== null && Number(cas) !== this.entries.get(key)?.modifyIndex) return false;
    this.entries.delete(key);
    this.#changed();
    return true;
  }

  /** Answers at once, or when anything changed behind the query's index, or when its wait is over. */
  read(key: string, query: URLSearchParams, response: ServerResponse): void {
    const isBlocking = Number(query.get('index') ?? '0') >= this.#index;
    const answer = (): void => {
      clearTimeout(timer);
      this.#waiting.delete(answer);
      const found = [...this.entries].filter(([name]) => (query.has('recurse') ? name.startsWith(key) : name === key));
      response.writeHead(found.length === 0 ? 404 : 200, { 'x-consul-index': String(this.#index), 'x-consul-knownleader': 'true' });
      response.end(found.length === 0 ? '' : `[${found.map(([name, entry]) => encode(name, entry)).join(',')}]`);
    };
    const timer = setTimeout(answer, isBlocking ? Number.parseInt(query.get('wait') ?? '300000', 10) : 0);
    if (isBlocking) this.#waiting.add(answer);
  }

  createSession(): string {
    const id = randomUUID();
    this.sessions.add(id);
    return id;
  }

  invalidate(session: string): void {
    this.sessions.delete(session);
    for (const [key, entry] of this.entries) if (entry.session === session) this.#write(key, { ...entry, session: '' });
  }

  #mayAcquire(session: string, known: Entry | undefined): boolean {
    return this.sessions.has(session) && (known === undefined || known.session === '' || known.session === session);
  }

  #write(key: string, fields: Pick<Entry, 'value' | 'flags' | 'session' | 'lockIndex'>): void {
    const index = this.#index + 1;
    this.entries.set(key, { ...fields, createIndex: this.entries.get(key)?.createIndex ?? index, modifyIndex: index });
    this.#changed();
  }

  #changed(): void {
    this.#index++;
    for (const wake of this.#waiting) wake();
  }
}

const RENEW = '/v1/session/renew/';
const DESTROY = '/v1/session/destroy/';

function respond(store: Store, { method, url, body }: SeenRequest, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const path = decodeURIComponent(pathname);
  if (path === '/v1/session/create') response.end(JSON.stringify({ ID: store.createSession() }));
  else if (path.startsWith(RENEW)) {
    const id = path.slice(RENEW.length);
    response.writeHead(store.sessions.has(id) ? 200 : 404);
    response.end(store.sessions.has(id) ? JSON.stringify([{ ID: id, TTL: '15s' }]) : '');
  } else if (path.startsWith(DESTROY)) {
    store.invalidate(path.slice(DESTROY.length));
    response.end('true');
  } else {
    const key = path.slice('/v1/kv/'.length);
    if (method === 'GET') store.read(key, searchParams, response);
    else response.end(String(method === 'PUT' ? store.put(key, searchParams, body) : store.delete(key, searchParams)));
  }
}

function encode(key: string, { value, flags, session, createIndex, modifyIndex, lockIndex }: Entry): string {
  const known = {
    LockIndex: lockIndex,
    Key: key,
    Value: Buffer.from(value).toString('base64'),
    Session: session,
    CreateIndex: createIndex,
    ModifyIndex: modifyIndex,
  };
  // Flags are 64-bit: written by hand, as Go writes them.
  return `{"Flags":${flags},${JSON.stringify(known).slice(1)}`;
}

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
  const entries = new Map<string, Entry>();
  const sessions = new Set<string>();
  const waiting = new Set<() => void>();
  let index = 1;
  const changed = (): void => {
    for (const wake of waiting) wake();
  };
  const write = (key: string, fields: Pick<Entry, 'value' | 'flags' | 'session' | 'lockIndex'>): void => {
    index++;
    entries.set(key, { ...fields, createIndex: entries.get(key)?.createIndex ?? index, modifyIndex: index });
    changed();
  };
  const remove = (key: string): void => {
    index++;
    entries.delete(key);
    changed();
  };
  const invalidate = (session: string): void => {
    sessions.delete(session);
    for (const [key, entry] of entries) if (entry.session === session) write(key, { ...entry, session: '' });
  };

  const put = (key: string, query: URLSearchParams, body: string): boolean => {
    const known = entries.get(key);
    const cas = query.get('cas');
    if (cas !== null && Number(cas) !== (known?.modifyIndex ?? 0)) return false;
    const acquire = query.get('acquire');
    const release = query.get('release');
    if (acquire !== null && (!sessions.has(acquire) || (known !== undefined && known.session !== '' && known.session !== acquire)))
      return false;
    if (release !== null && known?.session !== release) return false;
    const session = acquire ?? (release === null ? (known?.session ?? '') : '');
    write(key, { value: body, flags: query.get('flags') ?? '0', session, lockIndex: (known?.lockIndex ?? 0) + (acquire === null ? 0 : 1) });
    return true;
  };
  const read = (key: string, query: URLSearchParams, response: ServerResponse): void => {
    const answer = (): void => {
      clearTimeout(timer);
      waiting.delete(answer);
      const found = [...entries].filter(([name]) => (query.has('recurse') ? name.startsWith(key) : name === key));
      response.writeHead(found.length === 0 ? 404 : 200, { 'x-consul-index': String(index), 'x-consul-knownleader': 'true' });
      response.end(found.length === 0 ? '' : `[${found.map(([name, entry]) => encode(name, entry)).join(',')}]`);
    };
    const waitMs = Number.parseInt(query.get('wait') ?? '300000', 10);
    const timer = setTimeout(answer, Number(query.get('index') ?? '0') >= index ? waitMs : 0);
    if (Number(query.get('index') ?? '0') >= index) waiting.add(answer);
  };

  const respond = ({ method, url, body }: SeenRequest, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const path = decodeURIComponent(pathname);
    if (path === '/v1/session/create') {
      const id = randomUUID();
      sessions.add(id);
      response.end(JSON.stringify({ ID: id }));
    } else if (path.startsWith('/v1/session/renew/')) {
      const id = path.slice('/v1/session/renew/'.length);
      response.writeHead(sessions.has(id) ? 200 : 404);
      response.end(sessions.has(id) ? JSON.stringify([{ ID: id, TTL: '15s' }]) : '');
    } else if (path.startsWith('/v1/session/destroy/')) {
      invalidate(path.slice('/v1/session/destroy/'.length));
      response.end('true');
    } else {
      const key = path.slice('/v1/kv/'.length);
      if (method === 'GET') read(key, searchParams, response);
      else if (method === 'PUT') response.end(String(put(key, searchParams, body)));
      else {
        const cas = searchParams.get('cas');
        const matches = cas === null || Number(cas) === entries.get(key)?.modifyIndex;
        if (matches) remove(key);
        response.end(String(matches));
      }
    }
  };
  const server = await startServer(respond);
  return { ...server, entries, sessions, invalidate };
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

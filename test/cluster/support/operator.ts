import type { ClusterServer } from './server.ts';

export interface RaftPeer {
  readonly node: string;
  readonly id: string;
  readonly state: string;
  readonly voter: boolean;
}

/** `operator raft list-peers` as a table read back. */
export async function listPeers(server: ClusterServer): Promise<RaftPeer[]> {
  const { code, stdout, stderr } = await server.lictor('operator', 'raft', 'list-peers');
  if (code !== 0) throw new Error(`list-peers: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [node = '', id = '', , state = '', voter = ''] = line.split(/ {2,}/);
      return { node, id, state, voter: voter === 'true' };
    });
}

export async function writeKey(server: ClusterServer, key: string, value: string): Promise<void> {
  const response = await server.fetch(`/v1/kv/${key}`, { method: 'PUT', body: value });
  const text = await response.text();
  if (text.trim() !== 'true') throw new Error(`${server.name} put ${key}: ${response.status} ${text}`);
}

/** The value of a key, undefined when it is absent. */
export async function readKey(server: ClusterServer, key: string, mode = ''): Promise<string | undefined> {
  const response = await server.fetch(`/v1/kv/${key}?raw${mode === '' ? '' : `&${mode}`}`);
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${server.name} get ${key}: ${response.status} ${text}`);
  return text;
}

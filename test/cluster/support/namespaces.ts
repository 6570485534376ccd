import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ClusterNetwork, ServerPlace } from './network.ts';

const NAME_PREFIX = 'lct';
/** A unicast address that nobody has: frames to it go nowhere. */
const NOBODY_MAC = '02:00:00:00:de:ad';
const PORTS = { http: 8500, dns: 8600, grpc: 8502, server: 8300, 'serf-lan': 8301, 'serf-wan': 8302 } as const;

/** Whether this process may make network namespaces: root, with iproute2. */
export function canUseNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  const probe = `${NAME_PREFIX}p${process.pid}`;
  if (tryIp('netns', 'add', probe) !== '') return false;
  return tryIp('netns', 'del', probe) === '';
}

/**
 * A namespace for each server, joined by a bridge that we are on as well; the bridge is in a namespace of its own, where no firewall of this
 * machine (a container engine's, for example) drops what it forwards. A direction is cut by a wrong neighbour entry: what is sent is
 * lost as on a broken wire, no error tells the sender, and no kernel module is needed.
 */
export function createNamespaces(servers: number): ClusterNetwork {
  removeLeftOvers();
  const id = `${NAME_PREFIX}${process.pid}`;
  // 198.18.0.0/15 is for tests of network devices (RFC 2544): nobody routes it.
  const subnet = `198.18.${process.pid % 250}`;
  const hub: Hub = { namespace: `${id}b`, uplink: `${id}u` };
  const names = Array.from({ length: servers }, (_, server) => `${id}n${server}`);
  const onExit = (): void => remove(hub.namespace, names);
  process.once('exit', onExit);
  addHub(hub, `${subnet}.254`);
  for (const [server, name] of names.entries()) addNamespace(name, hub, `v${server}`, hostOf(subnet, server));
  const cuts = new Set<string>();
  return {
    canCut: true,
    placeOf: (server): ServerPlace => ({
      host: hostOf(subnet, server),
      ports: PORTS,
      prefix: ['ip', 'netns', 'exec', names[server] ?? ''],
    }),
    cut: (from, to) => {
      cuts.add(`${from} ${to}`);
      ip('-n', names[from] ?? '', 'neigh', 'replace', hostOf(subnet, to), 'lladdr', NOBODY_MAC, 'dev', 'eth0', 'nud', 'permanent');
    },
    heal: () => {
      for (const cut of cuts) {
        const [from = 0, to = 0] = cut.split(' ').map(Number);
        ip('-n', names[from] ?? '', 'neigh', 'del', hostOf(subnet, to), 'dev', 'eth0');
      }
      cuts.clear();
    },
    close: () => {
      process.off('exit', onExit);
      remove(hub.namespace, names);
    },
  };
}

interface Hub {
  readonly namespace: string;
  /** Our own end of the link to the bridge. */
  readonly uplink: string;
}

const BRIDGE = 'hub';

function addHub({ namespace, uplink }: Hub, host: string): void {
  ip('netns', 'add', namespace);
  ip('-n', namespace, 'link', 'add', BRIDGE, 'type', 'bridge');
  ip('-n', namespace, 'link', 'set', BRIDGE, 'up');
  ip('link', 'add', uplink, 'type', 'veth', 'peer', 'name', 'up0', 'netns', namespace);
  ip('-n', namespace, 'link', 'set', 'up0', 'master', BRIDGE, 'up');
  ip('addr', 'add', `${host}/24`, 'dev', uplink);
  ip('link', 'set', uplink, 'up');
}

function addNamespace(name: string, { namespace: hub }: Hub, link: string, host: string): void {
  ip('netns', 'add', name);
  ip('-n', hub, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('-n', hub, 'link', 'set', link, 'master', BRIDGE, 'up');
  ip('-n', name, 'addr', 'add', `${host}/24`, 'dev', 'eth0');
  ip('-n', name, 'link', 'set', 'eth0', 'up');
  ip('-n', name, 'link', 'set', 'lo', 'up');
}

function hostOf(subnet: string, server: number): string {
  return `${subnet}.${server + 1}`;
}

/** With whatever still runs in them: a test that was killed could not stop its servers. */
function remove(hub: string, names: readonly string[]): void {
  for (const name of [...names, hub]) {
    const pids = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).stdout ?? '';
    for (const pid of pids.split('\n').filter((line) => line !== '')) stopProcess(Number(pid));
    tryIp('netns', 'del', name);
  }
}

function stopProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** What a killed run of ours left: names carry the process that made them. */
function removeLeftOvers(): void {
  const listed = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout ?? '';
  const names = listed.split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const name of names) {
    const pid = new RegExp(`^${NAME_PREFIX}(\\d+)(?:n\\d+|b)$`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) remove(`${NAME_PREFIX}${pid}b`, [name]);
  }
}

function ip(...args: readonly string[]): void {
  const problem = tryIp(...args);
  if (problem !== '') throw new Error(`ip ${args.join(' ')}: ${problem}`);
}

/** What went wrong, or nothing. */
function tryIp(...args: readonly string[]): string {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  return status === 0 ? '' : stderr || String(error ?? `status ${status}`);
}

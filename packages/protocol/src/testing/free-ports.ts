import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

const HOST = '127.0.0.1';
const LOWEST = 10_000;
/** Linux's own, where it cannot be read; other systems begin higher. */
const FIRST_EPHEMERAL = 32_768;
/** A prime: processes that choose at the same time begin far from each other. */
const APART = 7919;

/** How far this process has come. */
let chosen = 0;

/**
 * Ports of loopback that are free now and stay so, for programs whose ports must be known before they start, or must be silent: below those that
 * the kernel gives to outgoing connections, of which thousands may come and go between the choice of a port and its use. None comes
 * twice from one process before all have had their turn.
 *
 * @throws Error when there are not as many
 */
export async function freePorts(count: number): Promise<number[]> {
  const room = firstEphemeral() - LOWEST;
  const held: Server[] = [];
  const ports: number[] = [];
  for (let tried = 0; tried < room && ports.length < count; tried++) {
    const port = LOWEST + ((process.pid * APART + chosen++) % room);
    const server = await hold(port);
    if (server === undefined) continue;
    held.push(server);
    ports.push(port);
  }
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  if (ports.length < count) throw new Error(`there are ${ports.length} of ${count} free ports`);
  return ports;
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

function firstEphemeral(): number {
  try {
    const first = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    // A system that has been given a wide range has none below it.
    return first > LOWEST + 1000 ? first : FIRST_EPHEMERAL;
  } catch {
    return FIRST_EPHEMERAL;
  }
}

/** Undefined: it is taken. */
async function hold(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, HOST);
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}

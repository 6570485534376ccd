import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';

const LOWEST = 10_000;
/** Linux's own, where it cannot be read. */
const FIRST_EPHEMERAL = 32_768;

/**
 * Ports that are free now and stay so: below those that the kernel gives to outgoing connections, of which thousands come and go between the
 * choice of a port and its use.
 * @throws Error when there are not as many
 */
export async function quietPorts(count: number): Promise<number[]> {
  const room = firstEphemeral() - LOWEST;
  // Processes that choose at the same time begin at different places.
  const start = (process.pid * 7919) % room;
  const held: Server[] = [];
  const ports: number[] = [];
  for (let tried = 0; tried < room && ports.length < count; tried++) {
    const port = LOWEST + ((start + tried) % room);
    const server = await hold(port);
    if (server === undefined) continue;
    held.push(server);
    ports.push(port);
  }
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  if (ports.length < count) throw new Error(`there are ${ports.length} of ${count} free ports`);
  return ports;
}

function firstEphemeral(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return FIRST_EPHEMERAL;
  }
}

/** Undefined: it is taken. */
async function hold(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port);
  return once(server, 'listening').then(
    () => server,
    () => undefined,
  );
}

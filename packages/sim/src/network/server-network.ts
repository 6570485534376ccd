import { type Clock, LictorError, type Logger } from '@lictor/protocol';
import type { ServerConfig } from '@lictor/server';
import {
  type ClusterNetwork,
  decodeGreeting,
  encodeGreeting,
  type Greeting,
  type GreetingTransport,
  selfRecord,
  ServerDiscovery,
  withLiveAddresses,
} from '@lictor/server/internal';
import { peerCalls } from './peer-calls.ts';
import { raftTransport } from './raft-transport.ts';
import { detach, type Host, hostAt, slotOf, type VirtualNetwork } from './virtual-network.ts';

const GREETING_TIMEOUT_MS = 1000;
const ENCODED_RATE = 0.1;

/** The network as one server process sees it. */
export function serverNetwork(
  network: VirtualNetwork,
  host: Host,
  config: ServerConfig,
  ports: { readonly clock: Clock; readonly logger: Logger },
): ClusterNetwork {
  if (config.network === null) throw new Error('a simulated server has a network');
  const candidates = { addresses: () => network.seeds, onChange: () => () => undefined };
  const discovery = new ServerDiscovery(selfRecord(config, ports.clock), { ...ports, candidates, transport: greetings(network, host) });
  host.greet = (greeting) => discovery.answer(greeting);
  return {
    discovery,
    remote: peerCalls(network, host),
    wide: () => peerCalls(network, host),
    createTransport: (clusterId) => withLiveAddresses(raftTransport(network, host, clusterId), discovery, clusterId),
    serve: ({ ofServers }) => {
      host.serve = ofServers;
    },
    listen: () => {
      network.hosts.set(config.rpcAddress, host);
      host.isListening = true;
      return Promise.resolve();
    },
    reloadTls: () => undefined,
    drain: () => Promise.resolve(),
    stop: () => {
      discovery.stop();
      detach(network, host);
      return Promise.resolve();
    },
  };
}

function greetings(network: VirtualNetwork, host: Host): GreetingTransport {
  const { scheduler, links } = network;
  return {
    greet: async (address, greeting) => {
      // Production's encoding costs more than all the rest of a greeting: some go through it, and none is changed by its receiver.
      const bytes = network.random.float() < ENCODED_RATE ? encodeGreeting(greeting) : greeting;
      await scheduler.wait(links.delayMs(), undefined);
      const to = slotOf(address);
      const other = hostAt(network, address);
      if (other === undefined || links.isCut(host.slot, to)) throw await nobody(network, host);
      const answered = await new Promise<Uint8Array | Greeting | LictorError | undefined>((resolve) => {
        scheduler.at(GREETING_TIMEOUT_MS, undefined, () => resolve(undefined));
        scheduler.at(0, other.owner, () => resolve(answerOf(other, bytes)));
      });
      await scheduler.wait(links.delayMs(), host.owner);
      if (answered instanceof LictorError) throw answered;
      if (answered === undefined || links.isCut(to, host.slot)) throw await nobody(network, host);
      return answered instanceof Uint8Array ? decodeGreeting(answered) : answered;
    },
  };
}

function answerOf(host: Host, greeting: Uint8Array | Greeting): Uint8Array | Greeting | LictorError {
  try {
    if (host.greet === undefined) throw new LictorError('unavailable', 'this server does not take joins yet');
    return greeting instanceof Uint8Array ? encodeGreeting(host.greet(decodeGreeting(greeting))) : host.greet(greeting);
  } catch (thrown) {
    return LictorError.from(thrown);
  }
}

async function nobody({ scheduler, random }: VirtualNetwork, { owner }: Host): Promise<LictorError> {
  await scheduler.wait(random.float() * GREETING_TIMEOUT_MS, owner);
  return new LictorError('unavailable', 'nobody answers');
}

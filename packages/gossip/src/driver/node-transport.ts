import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { createServer, isIP, type Server } from 'node:net';
import { GossipError } from '../errors.ts';
import type { Address } from '../swim/index.ts';
import { formatAddress, parseAddress, plainIp } from './address.ts';
import type { Transport, TransportHandlers } from './ports.ts';
import { dial, IncomingStreams } from './streams.ts';

export interface NodeTransportOptions {
  /** An IP address of this machine; `0.0.0.0` and `::` mean all. */
  readonly host: string;
  /** For datagrams and streams; 0: one that is free for both. */
  readonly port: number;
  readonly streamTimeoutMs: number;
  /** That peers have open at once… */
  readonly maxStreams?: number;
  /** …and those of one IP address. */
  readonly maxStreamsPerPeer?: number;
  readonly maxStreamBytes?: number;
  /** Of all that are being read. */
  readonly maxHeldBytes?: number;
}

const MAX_STREAMS = 128;
const MAX_STREAMS_PER_PEER = 32;
const MAX_STREAM_BYTES = 20 * 1024 * 1024;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** The kernel keeps so much while the event loop is busy. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;
const BIND_TRIES = 10;

/** UDP and TCP on one port. */
export class NodeTransport implements Transport {
  readonly #options: NodeTransportOptions;
  readonly #maxBytes: number;
  readonly #stopped = new AbortController();
  #udp: DatagramSocket | undefined;
  #tcp: Server | undefined;
  #streams: IncomingStreams | undefined;
  #handlers: TransportHandlers | undefined;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
    this.#maxBytes = options.maxStreamBytes ?? MAX_STREAM_BYTES;
    // As many as there are streams; Node warns of ten.
    setMaxListeners(0, this.#stopped.signal);
  }

  async start(handlers: TransportHandlers): Promise<Address> {
    this.#handlers = handlers;
    const { host, port } = this.#options;
    // A port that is free for streams may be taken for datagrams.
    for (let tries = port === 0 ? BIND_TRIES : 1; ; tries--) {
      try {
        return formatAddress(host, await this.#bind(handlers));
      } catch (error) {
        await this.#close();
        if (tries > 1) continue;
        const reason = error instanceof Error ? error.message : String(error);
        throw new GossipError('unreachable', `gossip cannot listen on ${formatAddress(host, port)}: ${reason}`, { cause: error });
      }
    }
  }

  send(to: Address, packet: Uint8Array): void {
    const { host, port } = parseAddress(to, 1);
    this.#udp?.send(packet, port, host, (error) => {
      if (error !== null) this.#handlers?.onTrouble('send-failed', to);
    });
  }

  exchange(to: Address, request: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#stopped.signal.aborted) return Promise.reject(new GossipError('stopped', 'gossip has stopped'));
    return dial(to, request, { timeoutMs, maxBytes: this.#maxBytes, signal: this.#stopped.signal });
  }

  async resolve(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    try {
      return (await lookup(host, { all: true })).map(({ address }) => address);
    } catch (error) {
      throw new GossipError('unreachable', `cannot resolve ${host}`, { cause: error });
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#close();
  }

  async #bind(handlers: TransportHandlers): Promise<number> {
    const { host, port, streamTimeoutMs, maxStreams, maxStreamsPerPeer, maxHeldBytes } = this.#options;
    const limits = {
      timeoutMs: streamTimeoutMs,
      maxBytes: this.#maxBytes,
      maxStreams: maxStreams ?? MAX_STREAMS,
      maxStreamsPerPeer: maxStreamsPerPeer ?? MAX_STREAMS_PER_PEER,
      maxHeldBytes: maxHeldBytes ?? MAX_HELD_BYTES,
    };
    const streams = new IncomingStreams(limits, handlers);
    this.#streams = streams;
    const tcp = createServer({ noDelay: true }, (socket) => streams.accept(socket));
    this.#tcp = tcp;
    await listening((done, failed) => tcp.once('error', failed).listen(port, host, done));
    const address = tcp.address();
    if (address === null || typeof address === 'string') throw new GossipError('unreachable', 'no port');
    // A server that is up tells of a failed accept, which its client sees, too.
    tcp.removeAllListeners('error').on('error', () => handlers.onTrouble('stream-broken', host));
    await this.#bindDatagrams(address.port, handlers);
    return address.port;
  }

  async #bindDatagrams(port: number, handlers: TransportHandlers): Promise<void> {
    const { host } = this.#options;
    const udp = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
    this.#udp = udp;
    await listening((done, failed) => udp.once('error', failed).bind({ port, address: host, exclusive: true }, done));
    udp.removeAllListeners('error').on('error', () => handlers.onTrouble('send-failed', host));
    udp.on('message', (packet, { address, port: fromPort }) => {
      const ip = plainIp(address);
      if (handlers.isAllowed(ip)) handlers.onPacket(formatAddress(ip, fromPort), packet);
      else handlers.onTrouble('not-allowed', ip);
    });
  }

  async #close(): Promise<void> {
    const [udp, tcp] = [this.#udp, this.#tcp];
    this.#udp = undefined;
    this.#tcp = undefined;
    this.#streams?.stop();
    await Promise.all([closed(udp), closed(tcp?.listening === true ? tcp : undefined)]);
  }
}

function listening(begin: (done: () => void, failed: (error: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => begin(resolve, reject));
}

function closed(closable: { close(callback: () => void): unknown } | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (closable === undefined) return resolve();
    try {
      closable.close(() => resolve());
    } catch {
      // It never was open.
      resolve();
    }
  });
}

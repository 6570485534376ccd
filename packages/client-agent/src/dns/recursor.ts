import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock, Random } from '@lictor/protocol';

export type DnsTransport = 'udp' | 'tcp';

export interface RecursorOptions {
  readonly recursors: readonly string[];
  readonly strategy: 'sequential' | 'random';
  readonly timeoutMs: number;
}

const DNS_PORT = 53;
const HEADER_BYTES = 12;

/**
 * Sends the question on, to one recursor after another, and returns the first usable answer, its id changed back. Each try has a socket, a port
 * and an id of its own, and an answer counts only when id, address and question match (CoreDNS CVE-2025-58063, miekg/dns CVE-2019-19794).
 */
export async function recurse(
  query: Buffer,
  transport: DnsTransport,
  options: RecursorOptions,
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<Buffer | undefined> {
  for (const recursor of ordered(options, ports.random)) {
    const request = Buffer.from(query);
    const [high = 0, low = 0] = ports.random.bytes(2);
    request.writeUInt16BE((high << 8) | low, 0);
    const ask = transport === 'udp' ? askUdp : askTcp;
    const answer = await ask(request, parseRecursor(recursor), options.timeoutMs, ports.clock);
    if (answer === undefined) continue;
    const result = Buffer.from(answer);
    result.writeUInt16BE(query.readUInt16BE(0), 0);
    return result;
  }
  return undefined;
}

function ordered({ recursors, strategy }: RecursorOptions, random: Random): readonly string[] {
  if (strategy === 'sequential' || recursors.length < 2) return recursors;
  const start = Math.floor(random.float() * recursors.length);
  return [...recursors.slice(start), ...recursors.slice(0, start)];
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
function parseRecursor(text: string): Endpoint {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: Number(bracketed[2] ?? DNS_PORT) };
  if (isIPv6(text)) return { host: text, port: DNS_PORT };
  const colon = text.lastIndexOf(':');
  return colon === -1 ? { host: text, port: DNS_PORT } : { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

function askUdp(request: Buffer, { host, port }: Endpoint, timeoutMs: number, clock: Clock): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const finish = (answer?: Buffer): void => {
      timer.cancel();
      socket.removeAllListeners('message');
      socket.close(() => undefined);
      resolve(answer);
    };
    const timer = clock.setTimer(timeoutMs, () => finish());
    socket.on('error', () => finish());
    // A connected socket takes datagrams from that peer alone.
    socket.connect(port, host, () => {
      socket.on('message', (message) => {
        if (isAnswerTo(request, message)) finish(message);
      });
      socket.send(request);
    });
  });
}

function askTcp(request: Buffer, { host, port }: Endpoint, timeoutMs: number, clock: Clock): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect(port, host, () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(request.length);
      socket.write(Buffer.concat([length, request]));
    });
    const finish = (answer?: Buffer): void => {
      timer.cancel();
      socket.destroy();
      resolve(answer);
    };
    const timer = clock.setTimer(timeoutMs, () => finish());
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(isAnswerTo(request, answer) ? answer : undefined);
    });
  });
}

/** Same id, an answer, and the very question that was asked. */
function isAnswerTo(request: Buffer, answer: Buffer): boolean {
  if (answer.length < HEADER_BYTES || answer.readUInt16BE(0) !== request.readUInt16BE(0)) return false;
  if ((answer.readUInt16BE(2) & 0x8000) === 0 || answer.readUInt16BE(4) !== 1) return false;
  const asked = questionBytes(request);
  const repeated = answer.subarray(HEADER_BYTES, HEADER_BYTES + asked.length);
  return asked.toString('latin1').toLowerCase() === repeated.toString('latin1').toLowerCase();
}

function questionBytes(message: Buffer): Buffer {
  let offset = HEADER_BYTES;
  while (offset < message.length && (message[offset] ?? 0) !== 0) offset += (message[offset] ?? 0) + 1;
  return message.subarray(HEADER_BYTES, offset + 5);
}

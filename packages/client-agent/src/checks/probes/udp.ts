import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { parseHostPort } from '@lictor/protocol';
import type { Probe } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { timeoutMs } from './context.ts';
import { startDeadline } from './deadline.ts';
import { dialErrorText } from './go-errors.ts';
import { resolveAllowed } from './lookup.ts';

/** Sends an empty datagram. Silence is passing: only a refusal by the host tells that nothing listens (consul-facts K036). */
export function createUdpProbe(context: ProbeContext): Probe {
  const target = context.definition.UDP;
  return async (signal) => {
    const address = parseHostPort(target);
    if (address === undefined) return { status: 'critical', output: `dial udp: address ${target}: missing port in address` };
    let host = address.host === '' ? '127.0.0.1' : address.host;
    try {
      if (context.refuseLinkLocal) host = await resolveAllowed(host);
    } catch (error) {
      return { status: 'critical', output: dialErrorText('udp', target, error) };
    }
    const deadline = startDeadline(context.clock, timeoutMs(context.definition), signal);
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.once('message', () => resolve());
        deadline.signal.addEventListener('abort', () => resolve(), { once: true });
        socket.connect(address.port, host, () => socket.send(new Uint8Array(0)));
      });
      return { status: 'passing', output: `UDP connect ${target}: Success` };
    } catch (error) {
      return { status: 'critical', output: readErrorText(target, error) };
    } finally {
      deadline.end();
      socket.close();
    }
  };
}

/** An ICMP refusal arrives at the read that follows the send. */
function readErrorText(target: string, error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return `read udp ${target}: read: connection refused`;
  return dialErrorText('udp', target, error);
}

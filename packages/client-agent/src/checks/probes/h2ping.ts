import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import type { Probe } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { timeoutMs } from './context.ts';
import { startDeadline } from './deadline.ts';
import { dial, DialError } from './dial.ts';

/** Passing when an HTTP/2 PING is answered (consul-facts K038). */
export function createH2PingProbe(context: ProbeContext): Probe {
  const { H2PING: target } = context.definition;
  const useTls = context.definition.H2PingUseTLS ?? true;
  const limitMs = timeoutMs(context.definition);
  return async (signal) => {
    let socket: Socket;
    try {
      socket = await dial(context, target, { useTls, timeoutMs: limitMs, alpnProtocols: ['h2'] }, signal);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      return { status: 'critical', output: `Failed to dial to ${target}: ${error.message}` };
    }
    const deadline = startDeadline(context.clock, limitMs, signal);
    try {
      await ping(socket, useTls, target, deadline.signal);
      return { status: 'passing', output: 'HTTP2 ping was successful' };
    } catch (error) {
      return { status: 'critical', output: `HTTP2 ping failed: ${error instanceof Error ? error.message : String(error)}` };
    } finally {
      deadline.end();
      socket.destroy();
    }
  };
}

function ping(socket: Socket, useTls: boolean, target: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`${useTls ? 'https' : 'http'}://${target}`, { createConnection: () => socket });
    const settle = (error?: Error | null): void => {
      session.destroy();
      if (error instanceof Error) reject(error);
      else resolve();
    };
    session.on('error', settle);
    session.once('close', () => reject(new Error('http2: client connection lost')));
    signal.addEventListener('abort', () => settle(signal.reason as Error), { once: true });
    session.once('connect', () => {
      session.ping(settle);
    });
  });
}

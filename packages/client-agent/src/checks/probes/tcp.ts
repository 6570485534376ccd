import type { Probe } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { timeoutMs } from './context.ts';
import { dial, DialError } from './dial.ts';

/** Passing when a connection opens (consul-facts K035). */
export function createTcpProbe(context: ProbeContext): Probe {
  const { TCP: target, TCPUseTLS: useTls } = context.definition;
  const kind = useTls ? 'TCP+TLS' : 'TCP';
  return async (signal) => {
    try {
      const socket = await dial(context, target, { useTls, timeoutMs: timeoutMs(context.definition) }, signal);
      socket.destroy();
      return { status: 'passing', output: `${kind} connect ${target}: Success` };
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      return { status: 'critical', output: error.message };
    }
  };
}

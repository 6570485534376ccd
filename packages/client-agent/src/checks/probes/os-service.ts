import { execFile } from 'node:child_process';
import type { Probe, ProbeResult } from '../runner.ts';
import type { ProbeContext } from './context.ts';
import { SCRIPT_TIMEOUT_MS, timeoutMs } from './context.ts';

/** systemd's word for a unit's state to a status; what is starting or stopping is a warning. */
const CRITICAL_STATES = new Set(['inactive', 'failed', 'deactivating', 'unknown']);

/** Asks systemd (consul-facts K039). */
export function createOsServiceProbe(context: ProbeContext): Probe {
  const name = context.definition.OSService;
  return (signal) =>
    new Promise<ProbeResult>((resolve) => {
      const options = { signal, timeout: timeoutMs(context.definition, SCRIPT_TIMEOUT_MS), maxBuffer: 4096 };
      execFile('systemctl', ['is-active', '--', name], options, (error, stdout) => {
        const state = stdout.trim();
        if (state === 'active') resolve({ status: 'passing', output: `Service "${name}" is healthy` });
        else if (state !== '') resolve({ status: CRITICAL_STATES.has(state) ? 'critical' : 'warning', output: `service status: ${state}` });
        else resolve({ status: 'critical', output: `failed to ask systemd: ${error?.message ?? 'no answer'}` });
      });
    });
}

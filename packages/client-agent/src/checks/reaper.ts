import { type Clock, formatDuration, type Logger, type Timer } from '@lictor/protocol';
import type { LocalState } from '../local/state.ts';

/** consul-facts T006. */
const REAP_INTERVAL_MS = 30_000;
const MIN_DEREGISTER_MS = 60_000;

export interface ReaperPorts {
  readonly state: LocalState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deregister: (serviceId: string) => Promise<void>;
}

/** Deregisters services whose checks have been critical for longer than their `deregister_critical_service_after` (consul-facts K032). */
export class CriticalServiceReaper {
  readonly #ports: ReaperPorts;
  #timer: Timer | undefined;

  constructor(ports: ReaperPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer = this.#ports.clock.setTimer(REAP_INTERVAL_MS, () => {
      void this.reap().finally(() => {
        if (this.#timer !== undefined) this.start();
      });
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async reap(): Promise<void> {
    const { state, clock, logger, deregister } = this.#ports;
    const reaped = new Set<string>();
    for (const record of state.checks.values()) {
      const afterMs = record.definition?.DeregisterCriticalServiceAfter ?? 0;
      const { ServiceID: serviceId, CheckID: checkId } = record.check;
      if (record.isDeleted || afterMs <= 0 || serviceId === '' || reaped.has(serviceId) || record.criticalSinceMs === undefined) continue;
      const timeoutMs = Math.max(MIN_DEREGISTER_MS, afterMs);
      const criticalMs = clock.monotonic() - record.criticalSinceMs;
      if (criticalMs <= timeoutMs) continue;
      reaped.add(serviceId);
      await deregister(serviceId).then(
        () =>
          logger.info('Check for service has been critical for too long; deregistered service', {
            check: checkId,
            service: serviceId,
            time_critical: formatDuration(Math.round(criticalMs)),
            timeout: formatDuration(timeoutMs),
          }),
        (error: unknown) =>
          logger.error('unable to deregister service after check has been critical for too long', { service: serviceId, error }),
      );
    }
  }
}

import { type Clock, type Logger, sleep } from '@lictor/protocol';
import type { ControlPlane, SelfRegistration } from './port.ts';

/** Consul's figures: registered anew every 30 s, a 30 s TTL check passed three times as often. */
const RECONCILE_MS = 30_000;
const HEARTBEAT_MS = 10_000;
const DEREGISTER_ATTEMPTS = 3;
const DEREGISTER_RETRY_MS = 500;

interface RegistrarPorts {
  readonly controlPlane: ControlPlane;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps a proxy that was started by flags registered at its agent while it runs (`-register`). */
export class SelfRegistrar {
  readonly #registration: SelfRegistration;
  readonly #ports: RegistrarPorts;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;

  constructor(registration: SelfRegistration, ports: RegistrarPorts) {
    this.#registration = registration;
    this.#ports = ports;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Deregisters; tries a few times, never rejects. */
  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    this.#abort.abort();
    await this.#running;
    const { controlPlane, clock, logger } = this.#ports;
    logger.info('stop request received, deregistering');
    for (let attempt = 1; attempt <= DEREGISTER_ATTEMPTS; attempt++) {
      try {
        await controlPlane.deregister(this.#registration.id);
        return;
      } catch (error) {
        logger.warn('service deregister failed', { error: messageOf(error) });
        if (attempt < DEREGISTER_ATTEMPTS) await sleep(clock, DEREGISTER_RETRY_MS);
      }
    }
  }

  async #run(): Promise<void> {
    const { clock } = this.#ports;
    const { signal } = this.#abort;
    let registeredMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      if (clock.monotonic() - registeredMs >= RECONCILE_MS) {
        if (await this.#register()) registeredMs = clock.monotonic();
      } else {
        await this.#heartbeat();
      }
      await sleep(clock, HEARTBEAT_MS, signal).catch(() => undefined);
    }
  }

  async #register(): Promise<boolean> {
    const { controlPlane, logger } = this.#ports;
    try {
      await controlPlane.register(this.#registration);
      logger.info('registered Consul service', { service: this.#registration.id });
      return true;
    } catch (error) {
      logger.warn('Failed to register Consul service', { error: messageOf(error) });
      return false;
    }
  }

  async #heartbeat(): Promise<void> {
    const { controlPlane, logger } = this.#ports;
    try {
      await controlPlane.passCheck(this.#registration.checkId);
    } catch (error) {
      logger.warn('heartbeat failed', { error: messageOf(error) });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { validateCheck, validateService } from '@lictor/mesh';
import { LictorError, type Logger } from '@lictor/protocol';
import { checkRunnable } from '../checks/index.ts';
import { ConfigError } from '../config/index.ts';
import type { AgentLifecycle, RuntimeConfig } from '../contracts/index.ts';
import { findIgnoredChanges, mergeReloaded } from './reloadable.ts';

export interface LifecyclePorts {
  readonly logger: Logger;
  running(): RuntimeConfig;
  /** Rereads flags and files. @throws ConfigError */
  load(): RuntimeConfig;
  /** Puts a checked configuration into force. */
  apply(config: RuntimeConfig): Promise<void>;
  /** Deregisters and ends the process. */
  leave(): Promise<void>;
}

export class Lifecycle implements AgentLifecycle {
  readonly #ports: LifecyclePorts;
  #reloading: Promise<void> = Promise.resolve();

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  /** One after the other, so that the last one asked for is the one in force. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.catch(() => undefined).then(() => this.#reload());
    return this.#reloading;
  }

  leave(): Promise<void> {
    return this.#ports.leave();
  }

  async #reload(): Promise<void> {
    const { logger } = this.#ports;
    logger.info('Reloading configuration...');
    const running = this.#ports.running();
    const loaded = this.#load();
    const next = mergeReloaded(running, loaded);
    checkDefinitions(next);
    for (const warning of next.warnings) logger.warn(warning);
    const ignored = findIgnoredChanges(running, loaded);
    if (ignored.length > 0) logger.warn('some changes take effect after a restart only', { options: ignored.join(', ') });
    await this.#ports.apply(next);
  }

  #load(): RuntimeConfig {
    try {
      return this.#ports.load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new LictorError('rejected', `Failed to reload config: ${error.detail}`, { cause: error });
    }
  }
}

/** Every definition is looked at before the first one is registered: a bad one leaves everything as it was. @throws LictorError */
export function checkDefinitions(config: RuntimeConfig): void {
  const attempt = (what: string, action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      const error = LictorError.from(thrown);
      throw new LictorError(error.code, `${what}: ${error.message}`, { cause: error });
    }
  };
  for (const service of config.services) {
    attempt(`service ${JSON.stringify(service.Name)}`, () => {
      validateService(service);
      for (const check of [...(service.Check ? [service.Check] : []), ...service.Checks]) checkRunnable(check, 'config', config);
    });
  }
  for (const check of config.checks) {
    attempt(`check ${JSON.stringify(check.Name)}`, () => {
      const problem = validateCheck(check);
      if (problem !== undefined) throw new LictorError('invalid-argument', problem);
      checkRunnable(check, 'config', config);
    });
  }
}

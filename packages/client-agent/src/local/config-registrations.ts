import { isDeepStrictEqual } from 'node:util';
import { type CheckDefinition, LictorError, type Logger, type Secret, type ServiceDefinition } from '@lictor/protocol';
import type { LocalChecks, LocalServices, RuntimeConfig } from '../contracts/index.ts';

export interface ConfigRegistrationPorts {
  readonly services: LocalServices;
  readonly checks: LocalChecks;
  readonly logger: Logger;
  readonly token: () => Secret;
}

/**
 * What the configuration files register. A reload applies the difference only: what did not change keeps its checks' state and
 * runners, and what was registered over the API stays, in -dev too, where Consul forgets it (consul-facts K005; docs/reference/config.md).
 */
export class ConfigRegistrations {
  readonly #ports: ConfigRegistrationPorts;
  #services = new Map<string, ServiceDefinition>();
  #checks = new Map<string, CheckDefinition>();

  constructor(ports: ConfigRegistrationPorts) {
    this.#ports = ports;
  }

  /** @throws LictorError naming the definition that is refused; those before it are registered */
  async apply(config: Pick<RuntimeConfig, 'services' | 'checks'>): Promise<void> {
    await this.#applyServices(new Map(config.services.map((service) => [serviceIdOf(service), service])));
    await this.#applyChecks(new Map(config.checks.map((check) => [checkIdOf(check), check])));
  }

  async #applyServices(next: Map<string, ServiceDefinition>): Promise<void> {
    const { services, token } = this.#ports;
    for (const id of this.#services.keys()) {
      if (!next.has(id)) await this.#forget(() => services.deregister(id));
    }
    for (const [id, definition] of next) {
      const known = this.#services.get(id);
      if (known !== undefined && services.get(id) !== undefined && isDeepStrictEqual(known, definition)) continue;
      await this.#register(`service ${JSON.stringify(definition.Name)}`, () =>
        services.register(definition, { token: token(), source: 'config', replaceExistingChecks: true }),
      );
    }
    this.#services = next;
  }

  async #applyChecks(next: Map<string, CheckDefinition>): Promise<void> {
    const { checks, token } = this.#ports;
    for (const id of this.#checks.keys()) {
      if (!next.has(id)) await this.#forget(() => checks.deregister(id));
    }
    for (const [id, definition] of next) {
      const known = this.#checks.get(id);
      if (known !== undefined && checks.get(id) !== undefined && isDeepStrictEqual(known, definition)) continue;
      await this.#register(`check ${JSON.stringify(definition.Name)}`, () =>
        checks.register(definition, { token: token(), source: 'config' }),
      );
    }
    this.#checks = next;
  }

  async #register(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (thrown) {
      const error = LictorError.from(thrown);
      throw new LictorError(error.code, `Failed to register ${what}: ${error.message}`, { cause: error });
    }
  }

  /** Somebody may have deregistered it over the API. */
  async #forget(action: () => Promise<void>): Promise<void> {
    await action().catch((error: unknown) => this.#ports.logger.debug('registration of a removed definition is gone already', { error }));
  }
}

export function serviceIdOf(definition: ServiceDefinition): string {
  return definition.ID === '' ? definition.Name : definition.ID;
}

function checkIdOf(definition: CheckDefinition): string {
  if (definition.CheckID !== '') return definition.CheckID;
  return definition.ID === '' ? definition.Name : definition.ID;
}

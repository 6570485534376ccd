import type { Secret } from '@lictor/protocol';
import type { RuntimeConfig } from '../contracts/index.ts';

type TokenKind = keyof RuntimeConfig['tokens'];

/** The agent's own tokens: those set over the API win over those of the configuration, until the agent ends. */
export class AgentTokenStore {
  readonly #config: () => RuntimeConfig;
  readonly #overrides = new Map<TokenKind, Secret>();
  readonly #onChange: () => void;

  constructor(config: () => RuntimeConfig, onChange: () => void) {
    this.#config = config;
    this.#onChange = onChange;
  }

  get(kind: TokenKind): Secret {
    return this.#overrides.get(kind) ?? this.#config().tokens[kind];
  }

  async set(kind: TokenKind, token: Secret): Promise<void> {
    this.#overrides.set(kind, token);
    this.#onChange();
  }

  /** For the agent's own work: its token, or the default one. */
  forAgent(): Secret {
    const own = this.get('agent');
    return own.isEmpty ? this.get('default') : own;
  }

  /** For what files register. */
  forConfigFiles(): Secret {
    return this.get('configFileRegistration');
  }
}

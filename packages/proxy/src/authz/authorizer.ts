import { type CompiledIntentions, compileIntentions } from '@lictor/mesh';
import type { ControlPlane, IntentionSet } from '../control-plane/port.ts';
import type { AuthenticatedPeer } from '../identity/authenticate.ts';

export interface AuthzVerdict {
  readonly allowed: boolean;
  /** In Consul's words; it names the rule. */
  readonly reason: string;
}

/**
 * May a peer reach this service? Decided here, at once, on watched intentions; the agent is asked only until they have been
 * read for the first time. Errors deny.
 */
export class Authorizer {
  readonly #service: string;
  readonly #controlPlane: Pick<ControlPlane, 'authorize'>;
  #compiled: CompiledIntentions | undefined;

  constructor(service: string, controlPlane: Pick<ControlPlane, 'authorize'>) {
    this.#service = service;
    this.#controlPlane = controlPlane;
  }

  update(set: IntentionSet): void {
    this.#compiled = compileIntentions(this.#service, set.intentions, {
      defaultVerdict: set.defaultAllow ? 'allow' : 'deny',
      defaultOrigin: 'acl',
    });
  }

  /** Undefined until intentions have been read. */
  decide(sourceService: string): AuthzVerdict | undefined {
    const decision = this.#compiled?.decide({ name: sourceService });
    return decision === undefined ? undefined : { allowed: decision.verdict === 'allow', reason: decision.reason };
  }

  /** Calls back once, in this turn of the event loop when intentions are known. */
  authorize(peer: AuthenticatedPeer, done: (verdict: AuthzVerdict) => void): void {
    const known = this.decide(peer.id.service);
    if (known !== undefined) {
      done(known);
      return;
    }
    void this.#askAgent(peer, done);
  }

  async #askAgent(peer: AuthenticatedPeer, done: (verdict: AuthzVerdict) => void): Promise<void> {
    let verdict: AuthzVerdict;
    try {
      const reply = await this.#controlPlane.authorize(this.#service, peer.uri, peer.serial);
      verdict = { allowed: reply.authorized, reason: reply.reason };
    } catch (error) {
      verdict = { allowed: false, reason: `authz call failed: ${error instanceof Error ? error.message : String(error)}` };
    }
    done(verdict);
  }
}

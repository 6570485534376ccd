import { type CaProviderFactory, type CaProviderState, createCaProvider, parseCommonCaConfig } from '@lictor/pki';
import type { CaConfigFields } from '../fsm/commands/connect-ca.ts';
import type { CandidateCa } from './activation.ts';
import { fromPkiError } from './errors.ts';

/**
 * A provider for `config`, configured and so validated. `state` is what the provider had stored, null for a provider that is new.
 * @throws LictorError in Consul's words (consul-facts P015, P018)
 */
export async function createCandidate(
  factories: ReadonlyMap<string, CaProviderFactory>,
  config: CaConfigFields,
  state: CaProviderState | null,
  datacenter: string,
): Promise<CandidateCa> {
  const provider = await attempt('could not initialize provider: ', () => createCaProvider(factories, config.Provider));
  return attempt('error configuring provider: ', async () => {
    await provider.configure({ clusterId: config.ClusterID, datacenter, config: config.Config, state });
    return { provider, config: { ...config, State: provider.state() }, common: parseCommonCaConfig(config.Config) };
  });
}

async function attempt<Value>(prefix: string, action: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (thrown) {
    throw fromPkiError(thrown, prefix);
  }
}

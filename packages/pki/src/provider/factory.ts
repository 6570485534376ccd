import { PkiError } from '../errors.ts';
import type { CaProvider } from './provider.ts';

/** Makes an instance for one configuration. */
export type CaProviderFactory = () => CaProvider;

/** Consul's other providers: known, so that the answer can say what is the matter. */
const KNOWN_ELSEWHERE: ReadonlySet<string> = new Set(['vault', 'aws-pca']);

/** @throws PkiError invalid-config in Consul's words for a name without a factory */
export function createCaProvider(factories: ReadonlyMap<string, CaProviderFactory>, name: string): CaProvider {
  const factory = factories.get(name);
  if (factory !== undefined) return factory();
  if (KNOWN_ELSEWHERE.has(name))
    throw new PkiError('invalid-config', `CA provider ${JSON.stringify(name)} is not available in this version`);
  throw new PkiError('invalid-config', `unknown CA provider ${JSON.stringify(name)}`);
}

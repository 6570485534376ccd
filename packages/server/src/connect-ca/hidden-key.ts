import { foldKey } from './bootstrap-config.ts';

type CaProviderConfig = Readonly<Record<string, unknown>>;

const HIDDEN = '<hidden>';
const PRIVATE_KEY = foldKey('PrivateKey');

/** A configuration as it may be shown: with everything but the key that an operator brought (CVE-2020-28053). */
export function hideKey(config: CaProviderConfig): CaProviderConfig {
  const name = keyName(config);
  return name === undefined || config[name] === '' ? config : { ...config, [name]: HIDDEN };
}

/** The other way round: who reads, changes and writes back a configuration keeps the key that it never saw. */
export function restoreKey(config: CaProviderConfig, stored: CaProviderConfig): CaProviderConfig {
  const name = keyName(config);
  const storedName = keyName(stored);
  if (name === undefined || config[name] !== HIDDEN || storedName === undefined) return config;
  return { ...config, [name]: stored[storedName] };
}

function keyName(config: CaProviderConfig): string | undefined {
  return Object.keys(config).find((key) => foldKey(key) === PRIVATE_KEY);
}

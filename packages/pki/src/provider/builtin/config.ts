import { schema, Secret } from '@lictor/protocol';
import { parseCertificate } from '../../certificate/index.ts';
import { PkiError } from '../../errors.ts';
import { parsePrivateKey, publicKeyOf, spkiDer } from '../../keys/index.ts';
import { type CommonCaConfig, decodeCaConfig, parseCommonCaConfig, type RawCaConfig } from '../config.ts';

/** The built-in provider's configuration. */
export interface BuiltinCaConfig extends CommonCaConfig {
  /** Empty: the provider makes one. */
  readonly privateKey: Secret;
  /** PEM, for `privateKey`; empty: the provider makes one. */
  readonly rootCert: string;
  readonly disableCrossSigning: boolean;
  /** Shown again as the provider's state; an undocumented key of Consul's that its clients test with. */
  readonly testState: Readonly<Record<string, string>> | undefined;
}

const builtinFields = schema.object({
  PrivateKey: schema.string(),
  RootCert: schema.string(),
  DisableCrossSigning: schema.boolean(),
});

/** @throws PkiError invalid-config, for a key or root that cannot be used too */
export function parseBuiltinCaConfig(raw: RawCaConfig): BuiltinCaConfig {
  const fields = decodeCaConfig(builtinFields, raw);
  if (fields.PrivateKey === '' && fields.RootCert !== '') {
    throw new PkiError('invalid-config', 'must provide a private key when providing a root cert');
  }
  const config: BuiltinCaConfig = {
    ...parseCommonCaConfig(raw),
    privateKey: new Secret(fields.PrivateKey),
    rootCert: fields.RootCert,
    disableCrossSigning: fields.DisableCrossSigning,
    testState: parseTestState(raw['test_state']),
  };
  checkMaterial(config);
  return config;
}

/** Anything that is not text is left out, as in Consul: this key must never be why a mesh has no authority. */
function parseTestState(raw: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  return Object.fromEntries(Object.entries(raw).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** Before anything is stored: a root that does not fit its key would sign leaves that nobody accepts. */
function checkMaterial({ privateKey, rootCert }: BuiltinCaConfig): void {
  if (privateKey.isEmpty) return;
  try {
    const key = parsePrivateKey(privateKey);
    if (rootCert === '') return;
    const root = parseCertificate(rootCert);
    if (!root.isCa) throw new PkiError('invalid-config', 'root cert is not a CA certificate');
    if (!root.spki.equals(spkiDer(publicKeyOf(key)))) throw new PkiError('invalid-config', 'root cert is for a different private key');
  } catch (error) {
    if (error instanceof PkiError) throw new PkiError('invalid-config', error.message, { cause: error });
    throw error;
  }
}

import { type CaProvider, colonHex, type CommonCaConfig, parseCertificate, trustDomainOf } from '@lictor/pki';
import { type CaRoot, LictorError } from '@lictor/protocol';
import {
  CA_SET_CONFIG,
  CA_SET_ROOTS_AND_CONFIG,
  type CaConfigFields,
  type CaRootFields,
  caRootsIndex,
  type SetConfigBody,
  type SetRootsAndConfigBody,
} from '../fsm/commands/connect-ca.ts';
import type { ConnectCaPorts } from './ports.ts';
import { createCaRoot, rotateRoots, withNewline } from './roots.ts';
import { readActiveRoot, readCaConfig, readCaRoots } from './state.ts';

/** What signs now: replaced as one, so that a leaf never gets the chain of another root. */
export interface ActiveCa {
  readonly provider: CaProvider;
  readonly root: CaRootFields;
  readonly common: CommonCaConfig;
  readonly trustDomain: string;
}

/** A provider that was configured, and the configuration to be stored with it. */
export interface CandidateCa {
  readonly provider: CaProvider;
  readonly config: CaConfigFields;
  readonly common: CommonCaConfig;
}

export interface Activation {
  readonly index: number;
  readonly ca: ActiveCa;
  /** False when the root stays and only the configuration changed. */
  readonly isRotated: boolean;
}

export interface ActivationOptions {
  /** The provider of the active root; undefined at bootstrap. */
  readonly old: CaProvider | undefined;
  /** Rotate although peers that know only the old root will refuse new leaves. */
  readonly withoutCrossSigning: boolean;
}

/**
 * Makes a candidate the CA (consul-facts P020, P021). Its root decides: the active one means that only the configuration is stored;
 * another one is cross-signed by the old provider, then roots and configuration change in one command.
 * @throws LictorError, PkiError; then nothing has changed but the provider's own records
 */
export async function activateCa(candidate: CandidateCa, options: ActivationOptions, ports: ConnectCaPorts): Promise<Activation> {
  const { provider, config, common } = candidate;
  const trustDomain = trustDomainOf(config.ClusterID);
  const rootPem = await provider.generateRoot();
  const signingPem = await provider.activeLeafSigningCert();
  const reader = ports.reader();
  const configIndex = readCaConfig(reader)?.ModifyIndex ?? 0;
  const activeRow = readActiveRoot(reader);
  const fresh = withSigningCert(createCaRoot(rootPem, config.Provider, config.ClusterID), rootPem, signingPem);
  if (activeRow?.ID === fresh.ID) {
    const body: SetConfigBody = { config, configIndex };
    const { index } = await ports.propose(CA_SET_CONFIG, body);
    return { index, ca: { provider, root: activeRow, common, trustDomain }, isRotated: false };
  }
  const bridges = activeRow === undefined ? [] : await crossSign(rootPem, activeRow, options, ports);
  const root = withBridges(fresh, bridges);
  const roots = rotateRoots(readCaRoots(reader), root, ports.clock.now());
  const body: SetRootsAndConfigBody = { config, configIndex, roots, rootsIndex: caRootsIndex(reader) };
  const { index } = await ports.propose(CA_SET_ROOTS_AND_CONFIG, body);
  return { index, ca: { provider, root, common, trustDomain }, isRotated: true };
}

async function crossSign(
  rootPem: string,
  activeRow: CaRoot,
  { old, withoutCrossSigning }: ActivationOptions,
  ports: ConnectCaPorts,
): Promise<readonly string[]> {
  if (withoutCrossSigning) {
    ports.logger.warn('ForceWithoutCrossSigning set, CA reconfiguration skipping cross-signing');
    return [];
  }
  // Nobody trusts an expired root any more, so there is no one to carry over.
  if (Date.parse(activeRow.NotAfter) < ports.clock.now()) {
    ports.logger.warn('active root has expired, CA reconfiguration skipping cross-signing', { id: activeRow.ID });
    return [];
  }
  if (old === undefined) throw new LictorError('unavailable', 'CA is uninitialized and unable to cross-sign a new root: provider is nil');
  if (!old.supportsCrossSigning()) {
    throw new LictorError(
      'rejected',
      'The current CA Provider does not support cross-signing. You can try again with ForceWithoutCrossSigningSet ' +
        'but this may cause disruption - see documentation for more.',
    );
  }
  return [await old.crossSign(parseCertificate(rootPem))];
}

/** A provider that signs by an intermediate: it belongs into every leaf's chain, and its key is the one that leaves point to. */
function withSigningCert(root: CaRootFields, rootPem: string, signingPem: string): CaRootFields {
  const signing = parseCertificate(signingPem);
  if (signing.raw.equals(parseCertificate(rootPem).raw)) return root;
  return { ...root, IntermediateCerts: [withNewline(signingPem)], SigningKeyID: colonHex(signing.subjectKeyId ?? Buffer.alloc(0)) };
}

/** The signing certificate stays last, as Consul keeps it. */
function withBridges(root: CaRootFields, bridges: readonly string[]): CaRootFields {
  const certs = [...bridges.map(withNewline), ...(root.IntermediateCerts ?? [])];
  return certs.length === 0 ? root : { ...root, IntermediateCerts: certs };
}

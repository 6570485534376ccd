import type { Authorizer } from '@lictor/mesh';
import { trustDomainOf } from '@lictor/pki';
import { type CaConfigurationRequest, type CaRoot, type CaRoots, LictorError, type RpcValue } from '@lictor/protocol';
import { hideKey } from '../../connect-ca/hidden-key.ts';
import { readCaConfig, readCaRoots } from '../../connect-ca/state.ts';
import type { StateReader } from '../../state/types.ts';
import type { ReadEndpoint, ReadEndpoints, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

/** What the endpoints need of `ConnectCa`; null when `connect.enabled` is false. */
export interface CaDuties {
  configure(request: CaConfigurationRequest): Promise<number>;
  sign(csrPem: string, authorizer: Authorizer): Promise<{ readonly index: number; readonly value: RpcValue<'ConnectCA.Sign'> }>;
}

export function createConnectCaReads(isEnabled: boolean) {
  const roots: ReadEndpoint<'ConnectCA.Roots'> = (reader) => {
    requireEnabled(isEnabled);
    return readShownRoots(reader);
  };
  /** Asks for operator:write, for an operator may have put secrets into it (CVE-2020-28053). */
  const configuration: ReadEndpoint<'ConnectCA.ConfigurationGet'> = (reader, _request, context) => {
    requireEnabled(isEnabled);
    requireAccess(context.authorizer, 'operator', '', 'write');
    const config = readCaConfig(reader);
    if (config === undefined) throw notInitialized();
    return { ...config, Config: hideKey(config.Config) };
  };
  return { 'ConnectCA.Roots': roots, 'ConnectCA.ConfigurationGet': configuration } satisfies ReadEndpoints;
}

export function createConnectCaWrites(ca: CaDuties | null) {
  const configure: WriteEndpoint<'ConnectCA.ConfigurationSet'> = async (request, context) => {
    requireEnabled(ca !== null);
    requireAccess(context.authorizer, 'operator', '', 'write');
    return { index: await ca.configure(request), value: undefined };
  };
  const sign: WriteEndpoint<'ConnectCA.Sign'> = async ({ csr }, context) => {
    requireEnabled(ca !== null);
    return ca.sign(csr, context.authorizer);
  };
  return { 'ConnectCA.ConfigurationSet': configure, 'ConnectCA.Sign': sign } satisfies WriteEndpoints;
}

/** @throws LictorError when the CA has none yet */
export function readShownRoots(reader: StateReader): CaRoots {
  const config = readCaConfig(reader);
  const rows = readCaRoots(reader);
  if (config === undefined) throw notInitialized();
  return {
    ActiveRootID: rows.find((row) => row.Active)?.ID ?? '',
    TrustDomain: trustDomainOf(config.ClusterID),
    Roots: rows.map(shownRoot),
  };
}

/** As Consul shows roots: without the time of their retirement. */
function shownRoot(row: CaRoot): CaRoot {
  const { RotatedOutAt, ...root } = row;
  return RotatedOutAt === undefined ? row : root;
}

/** @throws LictorError in Consul's words */
export function requireEnabled(isEnabled: boolean): asserts isEnabled {
  if (!isEnabled) throw new LictorError('rejected', 'Connect must be enabled in order to use this endpoint');
}

function notInitialized(): LictorError {
  return new LictorError('rejected', 'CA has not finished initializing');
}

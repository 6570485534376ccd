import { boolean, type Infer, object, record, string, unknown } from '../schema/index.ts';
import type { RaftIndex } from './common.ts';

/** A root certificate as the roots endpoints show it; never with its key. */
export interface CaRoot extends RaftIndex {
  /** SHA-1 fingerprint, colon-hex. */
  readonly ID: string;
  readonly Name: string;
  readonly SerialNumber: number;
  /** Colon-hex subject key id of the key that signs leaves. */
  readonly SigningKeyID: string;
  /** The trust domain without `.consul`. */
  readonly ExternalTrustDomain: string;
  /** RFC 3339. */
  readonly NotBefore: string;
  readonly NotAfter: string;
  readonly RootCert: string;
  /** PEMs that leaves need beside the root, cross-signed ones included. */
  readonly IntermediateCerts: readonly string[] | null;
  readonly Active: boolean;
  readonly PrivateKeyType: string;
  readonly PrivateKeyBits: number;
  /** RFC 3339: when it stopped being active, absent while it is. */
  readonly RotatedOutAt?: string;
}

export interface CaRoots {
  readonly ActiveRootID: string;
  readonly TrustDomain: string;
  readonly Roots: readonly CaRoot[];
}

/** A leaf as GET /v1/agent/connect/ca/leaf/:service answers it. */
export interface IssuedCert extends RaftIndex {
  /** Hex, colon-separated from the second byte on. */
  readonly SerialNumber: string;
  /** The leaf, then the intermediates that a verifier needs. */
  readonly CertPEM: string;
  /** SEC 1, made on the agent and never sent; absent in a server's reply. */
  readonly PrivateKeyPEM?: string;
  readonly Service?: string;
  readonly ServiceURI?: string;
  readonly Agent?: string;
  readonly AgentURI?: string;
  /** RFC 3339. */
  readonly ValidAfter: string;
  readonly ValidBefore: string;
}

/** What a client agent gets that has no certificate of its own (auto_encrypt). */
export interface SignedAgentCert {
  /** Without its key, which never left the agent. */
  readonly IssuedCert: IssuedCert;
  readonly ConnectCARoots: CaRoots;
  /** PEM: of the CA that the servers' own certificates are of. */
  readonly ManualCARoots: readonly string[];
  /** Whether servers' certificates must name them. */
  readonly VerifyServerHostname: boolean;
}

/** Body of PUT /v1/connect/ca/configuration. */
export const caConfigurationRequest = object({
  Provider: string(),
  Config: record(unknown()),
  State: record(string()),
  ForceWithoutCrossSigning: boolean(),
});
export type CaConfigurationRequest = Infer<typeof caConfigurationRequest>;

export interface CaConfiguration extends RaftIndex {
  readonly Provider: string;
  readonly Config: Readonly<Record<string, unknown>>;
  readonly State: Readonly<Record<string, string>> | null;
  readonly ForceWithoutCrossSigning: boolean;
  readonly ClusterID: string;
}

/** Body of POST /v1/agent/connect/authorize. */
export const connectAuthorizeRequest = object({
  Target: string(),
  ClientCertURI: string(),
  ClientCertSerial: string(),
});
export type ConnectAuthorizeRequest = Infer<typeof connectAuthorizeRequest>;

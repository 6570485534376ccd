import type { CaRoots, CheckServiceNode, ConnectProxyConfig, Intention, IssuedCert } from '@lictor/protocol';

/** A read that can wait for news: pass the answer's `cursor` back and it answers when something changed, or after minutes. */
export interface Reading<T> {
  readonly value: T;
  /** An index, a content hash, or the content itself. */
  readonly cursor: string;
  /** The agent gave nothing to wait with: the next read answers at once. */
  readonly isUnindexed?: boolean;
}

export type Read<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Reading<T>>;

/** The proxy's own registration, as GET /v1/agent/service/:id shows it. */
export interface ProxyRegistration {
  readonly id: string;
  readonly kind: string;
  readonly address: string;
  readonly port: number;
  readonly proxy: ConnectProxyConfig;
}

export interface IntentionSet {
  /** Those that name the service as destination, highest precedence first. */
  readonly intentions: readonly Intention[];
  /** What holds where no intention matches. */
  readonly defaultAllow: boolean;
}

export interface AuthorizeReply {
  readonly authorized: boolean;
  readonly reason: string;
}

/** What flags mode registers (`-register`). */
export interface SelfRegistration {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly destination: string;
  readonly checkId: string;
}

/**
 * What a proxy needs of its agent. Every method rejects with an Error whose message can be logged; reads are tried again by
 * their watchers, so they must not retry themselves.
 */
export interface ControlPlane {
  readRegistration(proxyId: string): Read<ProxyRegistration>;
  readRoots(): Read<CaRoots>;
  readLeaf(service: string): Read<IssuedCert>;
  readIntentions(destination: string): Read<IntentionSet>;
  /** Passing instances that speak mTLS for `service`; an empty datacenter is the agent's own. */
  readInstances(service: string, datacenter: string): Read<readonly CheckServiceNode[]>;
  /** What a prepared query finds of the mesh; nothing for one that does not exist. It cannot be waited for. */
  executeQuery(nameOrId: string, datacenter: string, signal: AbortSignal): Promise<readonly CheckServiceNode[]>;
  /** The agent's own decision, for when intentions could not be read. */
  authorize(target: string, clientCertUri: string, clientCertSerial: string): Promise<AuthorizeReply>;
  /** Makes the agent run the proxy's checks now. Does nothing where the agent is a real Consul. */
  reportReady(proxyId: string): Promise<void>;
  register(registration: SelfRegistration): Promise<void>;
  passCheck(checkId: string): Promise<void>;
  deregister(serviceId: string): Promise<void>;
}

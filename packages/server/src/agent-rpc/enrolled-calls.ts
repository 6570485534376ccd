import { LictorError, type RpcReply, type RpcRequest, type Secret } from '@lictor/protocol';
import type { RpcTlsConfig } from '../config.ts';
import { AGENT_CALLS, ENROLL_CALLS, ENROLL_LIMITS, PeerRpcClient } from '../peer-rpc/index.ts';
import { AgentTls, enrollTls, loadRpcTlsFiles, type RpcTlsMaterial } from '../tls/index.ts';
import type { AgentCalls, AgentCallsPorts } from './agent-calls.ts';

/** What an agent has got from the servers to call them with. */
export interface AgentIdentity {
  /** The certificate, then those between it and the mesh's root. */
  readonly certPem: string;
  readonly keyPem: Secret;
  /** PEM: whom the servers' certificates are of. */
  readonly manualCaPems: readonly string[];
  readonly verifiesServerHostname: boolean;
}

/** The streams of a client agent that gets its certificate from the servers (auto_encrypt). */
export interface EnrolledCalls extends AgentCalls {
  /**
   * Asks the server at `address` for a certificate, showing none.
   * @throws LictorError `unavailable` when it cannot be reached or verified, and what it answers
   */
  enroll(
    address: string,
    request: RpcRequest<'AutoEncrypt.Sign'>,
    options: { readonly token: Secret; readonly signal: AbortSignal },
  ): Promise<RpcReply<'AutoEncrypt.Sign'>>;
  /** Calls with it from the next stream on. @throws LictorError `invalid-argument`, and everything stays as it was */
  use(identity: AgentIdentity): void;
}

/**
 * Servers are verified by the CA of the files and the one that the servers named, never by the mesh's: what that vouches for are services
 * and agents. @throws LictorError when the TLS files cannot be used
 */
export function createEnrolledCalls({ options, files }: RpcTlsConfig, ports: AgentCallsPorts): EnrolledCalls {
  let own = loadRpcTlsFiles(files, ports);
  let enrollChannel = enrollTls(options, own);
  let identity: AgentIdentity | undefined;
  let tls: AgentTls | undefined;
  // One for each identity whose rules differ: streams that are open live on, and end with their last call.
  let client: PeerRpcClient | undefined;

  const apply = (next: AgentIdentity, material: RpcTlsMaterial): void => {
    const isSameRule = identity?.verifiesServerHostname === next.verifiesServerHostname;
    if (tls !== undefined && isSameRule) {
      tls.replace(material);
    } else {
      const verifyServerHostname = options.verifyServerHostname || next.verifiesServerHostname;
      const renewed = new AgentTls({ ...options, verifyOutgoing: true, verifyServerHostname }, material);
      const before = client;
      tls = renewed;
      client = new PeerRpcClient({ calls: AGENT_CALLS, credentials: () => renewed.channelCredentials }, ports);
      before?.close();
    }
    identity = next;
  };

  return {
    call: async (address, method, request, callOptions) => {
      if (client === undefined) throw new LictorError('unavailable', 'rpc error getting client: the agent has no certificate yet');
      return client.call(address, method, request, callOptions);
    },
    enroll: async (address, request, callOptions) => {
      const stranger = new PeerRpcClient({ calls: ENROLL_CALLS, credentials: () => enrollChannel, limits: ENROLL_LIMITS }, ports);
      try {
        return (await stranger.call(address, 'AutoEncrypt.Sign', request, callOptions)) as RpcReply<'AutoEncrypt.Sign'>;
      } finally {
        stranger.close();
      }
    },
    use: (next) => apply(next, materialOf(own, next)),
    reloadTls: () => {
      const read = loadRpcTlsFiles(files, ports);
      const channel = enrollTls(options, read);
      if (identity !== undefined) apply(identity, materialOf(read, identity));
      own = read;
      enrollChannel = channel;
    },
    close: () => client?.close(),
  };
}

/** A certificate of the files is shown rather than the one from the servers, as in Consul. */
function materialOf(own: RpcTlsMaterial, { certPem, keyPem, manualCaPems }: AgentIdentity): RpcTlsMaterial {
  const caPems = [...own.caPems, ...manualCaPems];
  return own.certPem === '' ? { caPems, certPem, keyPem } : { ...own, caPems };
}

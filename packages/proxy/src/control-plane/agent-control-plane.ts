import { type CheckServiceNode, connectProxyConfig, decode, type Intention, type Weights } from '@lictor/protocol';
import { type Answer, ApiError, type ApiCheckServiceNode, apiPath, type LictorClient, type QueryOptions } from '@lictor/sdk';
import type { ControlPlane, IntentionSet, ProxyRegistration, Read } from './port.ts';

/** Consul's client agents answer from any server: discovery must go on without a leader. */
const STALE: QueryOptions = { consistency: 'stale' };

/** The agent's HTTP API as the proxy's control plane; works with Lictor and with Consul. */
export function createAgentControlPlane(client: LictorClient): ControlPlane {
  const policy = new DefaultPolicy(client);
  return {
    readRegistration: (proxyId) => readRegistration(client, proxyId),
    readRoots: () => byIndex((options) => client.agent.connectRoots(options)),
    readLeaf: (service) => byIndex((options) => client.agent.connectLeaf(service, options)),
    readIntentions: (destination) => readIntentions(client, destination, policy),
    readInstances: (service, datacenter) =>
      byIndex(async (options) => {
        const query = { ...STALE, ...options, passingOnly: true, ...(datacenter !== '' && { datacenter }) };
        const { value, meta } = await client.health.connect(service, query);
        return { value: value.map(completeInstance), meta };
      }),
    executeQuery: (nameOrId, datacenter, signal) => executeQuery(client, nameOrId, datacenter, signal),
    authorize: async (target, clientCertUri, clientCertSerial) => {
      const reply = await client.agent.authorize({ Target: target, ClientCertURI: clientCertUri, ClientCertSerial: clientCertSerial });
      return { authorized: reply.Authorized === true, reason: reply.Reason };
    },
    reportReady: (proxyId) => reportReady(client, proxyId),
    register: ({ id, name, address, port, destination, checkId }) =>
      client.agent.registerService({
        Kind: 'connect-proxy',
        ID: id,
        Name: name,
        Address: address,
        Port: port,
        Proxy: { DestinationServiceName: destination },
        Check: {
          CheckID: checkId,
          Name: 'proxy heartbeat',
          TTL: '30s',
          Notes: 'The built-in proxy keeps this check passing.',
          Status: 'passing',
        },
      }),
    passCheck: (checkId) => client.agent.updateCheck(checkId, 'passing'),
    deregister: (serviceId) => client.agent.deregisterService(serviceId),
  };
}

/** Turns a query that blocks by index into a read. An index that is 0 or goes back starts afresh (consul-facts 2.0). */
function byIndex<T>(query: (options: QueryOptions) => Promise<Answer<T>>): Read<T> {
  return async (cursor, signal) => {
    const asked = Number(cursor ?? 0) || 0;
    const { value, meta } = await query({ signal, ...(asked > 0 && { index: asked }) });
    // Consul 1.8 gives no index with intentions: the content tells what is new, and nothing waits for it.
    if (meta.index === 0) return { value, cursor: `content ${JSON.stringify(value)}`, isUnindexed: true };
    return { value, cursor: String(meta.index < asked ? 0 : meta.index) };
  };
}

function readRegistration(client: LictorClient, proxyId: string): Read<ProxyRegistration> {
  return async (cursor, signal) => {
    const { value, meta } = await client.agent.service(proxyId, { signal, ...(cursor !== undefined && { hash: cursor }) });
    const registration = {
      id: value.ID,
      kind: value.Kind ?? '',
      address: value.Address,
      port: value.Port,
      proxy: decode(connectProxyConfig, value.Proxy ?? {}),
    };
    return { value: registration, cursor: meta.contentHash || (value.ContentHash ?? '') };
  };
}

async function executeQuery(
  client: LictorClient,
  nameOrId: string,
  datacenter: string,
  signal: AbortSignal,
): Promise<readonly CheckServiceNode[]> {
  try {
    const options = { ...STALE, signal, connect: true, ...(datacenter !== '' && { datacenter }) };
    return (await client.preparedQuery.execute(nameOrId, options)).value.Nodes.map(completeInstance);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

function readIntentions(client: LictorClient, destination: string, policy: DefaultPolicy): Read<IntentionSet> {
  return byIndex(async (options) => {
    const { value, meta } = await client.connect.matchIntentions('destination', destination, options);
    const defaultAllow = await policy.allows(meta.defaultAclPolicy);
    return { value: { intentions: value.map(completeIntention), defaultAllow }, meta };
  });
}

/**
 * What holds without an intention: the agent's `default_intention_policy` where it tells it, else the ACL default that every
 * answer carries, else (before Consul 1.10, whose answers carry none) the ACL settings of the agent. Not known means deny.
 */
class DefaultPolicy {
  readonly #client: LictorClient;
  #configured: Promise<{ readonly intentions: string; readonly acl: string }> | undefined;

  constructor(client: LictorClient) {
    this.#client = client;
  }

  async allows(aclPolicy: string): Promise<boolean> {
    this.#configured ??= this.#read();
    const { intentions, acl } = await this.#configured;
    return (intentions || aclPolicy || acl) === 'allow';
  }

  /** Empty when it is not set, or not ours to read. */
  async #read(): Promise<{ readonly intentions: string; readonly acl: string }> {
    try {
      const { DebugConfig: config } = await this.#client.agent.self();
      const intentions = config['DefaultIntentionPolicy'];
      const acl = config['ACLsEnabled'] === false ? 'allow' : config['ACLDefaultPolicy'];
      return { intentions: typeof intentions === 'string' ? intentions : '', acl: typeof acl === 'string' ? acl : '' };
    } catch (error) {
      if (!(error instanceof ApiError)) this.#configured = undefined;
      return { intentions: '', acl: '' };
    }
  }
}

/** Consul answers 404 (or 405): it has no such endpoint, and runs the checks at their time. */
async function reportReady(client: LictorClient, proxyId: string): Promise<void> {
  try {
    await client.http.write('PUT', apiPath('agent', 'lictor', 'proxy-ready', proxyId));
  } catch (error) {
    if (!(error instanceof ApiError && (error.status === 404 || error.status === 405))) throw error;
  }
}

/** Empty fields are left out of JSON; the types promise them. */
function completeIntention(intention: Intention): Intention {
  const partial: Partial<Intention> = intention;
  return { ...intention, ID: partial.ID ?? '', Description: partial.Description ?? '', Meta: partial.Meta ?? {} };
}

function completeInstance(entry: ApiCheckServiceNode): CheckServiceNode {
  const weights: Partial<Weights> | undefined = entry.Service.Weights;
  const Weights = { Passing: weights?.Passing ?? 1, Warning: weights?.Warning ?? 1 };
  const checks: ApiCheckServiceNode['Checks'] | null = entry.Checks;
  return { ...entry, Service: { ...entry.Service, Weights }, Checks: (checks ?? []).map((check) => ({ ...check, Definition: {} })) };
}

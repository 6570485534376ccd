import { type Clock, Secret } from '@lictor/protocol';
import { systemClock } from '@lictor/protocol/system';
import { DEFAULT_ADDRESS, parseAddress } from './address.ts';
import { AgentApi } from './endpoints/agent.ts';
import { CatalogApi } from './endpoints/catalog.ts';
import { ConfigApi } from './endpoints/config.ts';
import { ConnectApi } from './endpoints/connect.ts';
import { CoordinateApi } from './endpoints/coordinate.ts';
import { EventApi } from './endpoints/event.ts';
import { HealthApi } from './endpoints/health.ts';
import { KvApi } from './endpoints/kv.ts';
import { OperatorApi } from './endpoints/operator.ts';
import { PreparedQueryApi } from './endpoints/prepared-query.ts';
import { SessionApi } from './endpoints/session.ts';
import { SnapshotApi } from './endpoints/snapshot.ts';
import { StatusApi } from './endpoints/status.ts';
import { TxnApi } from './endpoints/txn.ts';
import { HttpClient } from './http.ts';
import { loadTls, type TlsOptions } from './tls.ts';
import { createTransport, type Transport } from './transport.ts';

export interface ClientConfig {
  /** `host:port`, `http(s)://host:port[/prefix]` or `unix:///path`. Default `127.0.0.1:8500`. */
  readonly address?: string;
  /** HTTPS even where the address does not say so. */
  readonly ssl?: boolean;
  readonly tls?: TlsOptions;
  /** Sent with every request that brings none of its own. */
  readonly token?: Secret | string;
  readonly datacenter?: string;
  /** Of Consul Enterprise: sent with every request, and refused by Lictor and Consul CE. */
  readonly namespace?: string;
  readonly partition?: string;
  /** `user:password` of a proxy in front of the agent. */
  readonly basicAuth?: Secret | string;
  /**
   * Reads see at least what this client has written, whichever server answers them: cheap together with `consistency: 'stale'`. Remembers
   * one index a datacenter. Lictor only: Consul ignores it.
   */
  readonly readYourWrites?: boolean;
  /** Refuse a longer answer, bytes. Default 256 MiB. */
  readonly maxResponseBytes?: number;
  readonly clock?: Clock;
}

const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/** The HTTP API of one agent of Lictor or Consul, one member per endpoint group. */
export class LictorClient {
  readonly agent: AgentApi;
  readonly catalog: CatalogApi;
  readonly config: ConfigApi;
  readonly connect: ConnectApi;
  readonly coordinate: CoordinateApi;
  readonly event: EventApi;
  readonly health: HealthApi;
  readonly kv: KvApi;
  readonly operator: OperatorApi;
  readonly preparedQuery: PreparedQueryApi;
  readonly session: SessionApi;
  readonly snapshot: SnapshotApi;
  readonly status: StatusApi;
  readonly txn: TxnApi;
  /** For endpoints that have no method here. */
  readonly http: HttpClient;
  readonly #transport: Transport;

  constructor(http: HttpClient, transport: Transport) {
    this.http = http;
    this.#transport = transport;
    this.agent = new AgentApi(http);
    this.catalog = new CatalogApi(http);
    this.config = new ConfigApi(http);
    this.connect = new ConnectApi(http);
    this.coordinate = new CoordinateApi(http);
    this.event = new EventApi(http);
    this.health = new HealthApi(http);
    this.kv = new KvApi(http);
    this.operator = new OperatorApi(http);
    this.preparedQuery = new PreparedQueryApi(http);
    this.session = new SessionApi(http);
    this.snapshot = new SnapshotApi(http);
    this.status = new StatusApi(http);
    this.txn = new TxnApi(http);
  }

  get clock(): Clock {
    return this.http.clock;
  }

  /** Ends every connection; requests under way fail. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Connects lazily: nothing is sent before the first request. @throws ConfigurationError */
export function createClient(config: ClientConfig = {}): LictorClient {
  const address = parseAddress(config.address || DEFAULT_ADDRESS, config.ssl ?? false);
  const transport = createTransport(address, loadTls(config.tls ?? {}));
  const token = asSecret(config.token);
  const basicAuth = asSecret(config.basicAuth);
  const http = new HttpClient({
    address,
    transport,
    clock: config.clock ?? systemClock,
    maxResponseBytes: config.maxResponseBytes ?? MAX_RESPONSE_BYTES,
    ...(token === undefined ? {} : { token }),
    ...(basicAuth === undefined ? {} : { basicAuth }),
    ...(config.datacenter ? { datacenter: config.datacenter } : {}),
    ...(config.namespace ? { namespace: config.namespace } : {}),
    ...(config.partition ? { partition: config.partition } : {}),
    ...(config.readYourWrites ? { readYourWrites: true } : {}),
  });
  return new LictorClient(http, transport);
}

function asSecret(value: Secret | string | undefined): Secret | undefined {
  if (value === undefined || value === '') return undefined;
  return value instanceof Secret ? value : new Secret(value);
}

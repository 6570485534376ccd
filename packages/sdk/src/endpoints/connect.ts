import type { CaConfiguration, CaRoots, Intention, IntentionPermission } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions, WriteOptions } from '../query.ts';

export interface IntentionInput {
  readonly ID?: string;
  readonly Description?: string;
  readonly SourceNS?: string;
  readonly SourceName: string;
  readonly DestinationNS?: string;
  readonly DestinationName: string;
  readonly SourceType?: string;
  readonly Action?: string;
  readonly Permissions?: readonly IntentionPermission[];
  readonly Meta?: Readonly<Record<string, string>>;
}

export interface CaConfigurationInput {
  readonly Provider?: string;
  readonly Config?: Readonly<Record<string, unknown>>;
  readonly State?: Readonly<Record<string, string>>;
  readonly ForceWithoutCrossSigning?: boolean;
}

const INTENTIONS = ['connect', 'intentions'] as const;

/** /v1/connect: the CA and the intentions. */
export class ConnectApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  caRoots(options: QueryOptions = {}): Promise<Answer<CaRoots>> {
    return this.#http.query(apiPath('connect', 'ca', 'roots'), options);
  }

  caConfiguration(options: QueryOptions = {}): Promise<Answer<Omit<CaConfiguration, 'ClusterID'>>> {
    return this.#http.query(apiPath('connect', 'ca', 'configuration'), options);
  }

  async setCaConfiguration(configuration: CaConfigurationInput, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('PUT', apiPath('connect', 'ca', 'configuration'), { ...options, body: JSON.stringify(configuration) });
  }

  intentions(options: QueryOptions = {}): Promise<Answer<readonly Intention[]>> {
    return this.#http.list(apiPath(...INTENTIONS), options);
  }

  /** Names are `[[partition/]namespace/]name`. Undefined when there is none: Consul answers 404, or 400 for an ill-formed name. */
  intentionExact(source: string, destination: string, options: QueryOptions = {}): Promise<Answer<Intention | undefined>> {
    return this.#http.find(apiPath(...INTENTIONS, 'exact'), { ...options, parameters: { source, destination } });
  }

  /** By the id of an intention made through the deprecated endpoints; undefined when there is none. */
  async intentionById(id: string, options: QueryOptions = {}): Promise<Intention | undefined> {
    return (await this.#http.find<Intention>(apiPath(...INTENTIONS, id), options)).value;
  }

  /** Its id. */
  async createIntention(intention: IntentionInput, options: WriteOptions = {}): Promise<string> {
    return (await this.#http.write<{ readonly ID: string }>('POST', apiPath(...INTENTIONS), intention, options)).ID;
  }

  async updateIntention(id: string, intention: IntentionInput, options: WriteOptions = {}): Promise<void> {
    await this.#http.write('PUT', apiPath(...INTENTIONS, id), intention, options);
  }

  /** Creates or replaces by source and destination. */
  async upsertIntention(intention: IntentionInput, options: WriteOptions = {}): Promise<void> {
    const parameters = {
      source: qualified(intention.SourceNS, intention.SourceName),
      destination: qualified(intention.DestinationNS, intention.DestinationName),
    };
    await this.#http.write('PUT', apiPath(...INTENTIONS, 'exact'), intention, { ...options, parameters });
  }

  async deleteIntention(id: string, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('DELETE', apiPath(...INTENTIONS, id), options);
  }

  async deleteIntentionExact(source: string, destination: string, options: WriteOptions = {}): Promise<void> {
    await this.#http.text('DELETE', apiPath(...INTENTIONS, 'exact'), { ...options, parameters: { source, destination } });
  }

  /** The intentions that name `name` on one side, in the order in which they are tried. */
  async matchIntentions(by: 'source' | 'destination', name: string, options: QueryOptions = {}): Promise<Answer<readonly Intention[]>> {
    const parameters = { by, name };
    const { value, meta } = await this.#http.query<Readonly<Record<string, readonly Intention[] | null>>>(apiPath(...INTENTIONS, 'match'), {
      ...options,
      parameters,
    });
    return { value: value[name] ?? [], meta };
  }

  async checkIntention(source: string, destination: string, options: QueryOptions = {}): Promise<boolean> {
    const parameters = { source, destination, 'source-type': 'consul' };
    const path = apiPath(...INTENTIONS, 'check');
    return (await this.#http.query<{ readonly Allowed: boolean }>(path, { ...options, parameters })).value.Allowed;
  }
}

function qualified(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

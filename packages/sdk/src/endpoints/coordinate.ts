import type { NodeCoordinate } from '@lictor/protocol';
import { apiPath, type HttpClient } from '../http.ts';
import type { Answer, QueryOptions } from '../query.ts';

export interface DatacenterCoordinates {
  readonly Datacenter: string;
  readonly AreaID: string;
  readonly Coordinates: readonly NodeCoordinate[];
}

/** /v1/coordinate */
export class CoordinateApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async datacenters(options: QueryOptions = {}): Promise<readonly DatacenterCoordinates[]> {
    return (await this.#http.list<DatacenterCoordinates>(apiPath('coordinate', 'datacenters'), options)).value;
  }

  nodes(options: QueryOptions = {}): Promise<Answer<readonly NodeCoordinate[]>> {
    return this.#http.list(apiPath('coordinate', 'nodes'), options);
  }

  node(name: string, options: QueryOptions = {}): Promise<Answer<readonly NodeCoordinate[]>> {
    return this.#http.list(apiPath('coordinate', 'node', name), options);
  }
}

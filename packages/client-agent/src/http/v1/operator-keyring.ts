import { type CallOptions, type KeyringOperation, type KeyringReport, keyringRequest, LictorError } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { EMPTY_REPLY, jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { parseGoBoolean } from '../request/boolean.ts';
import { readJsonBody } from '../request/json-body.ts';
import { badRequest } from '../request/read-options.ts';
import { acl, type Route } from '../routing/route.ts';

/** /v1/operator/keyring: the gossip keys of every pool of every datacenter (consul-facts H130-H133). */
export const operatorKeyringRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/operator/keyring', acl: acl.server('keyring', 'read'), handle: list },
  { method: 'POST', path: '/v1/operator/keyring', acl: acl.server('keyring', 'write'), handle: changeBy('install') },
  { method: 'PUT', path: '/v1/operator/keyring', acl: acl.server('keyring', 'write'), handle: changeBy('use') },
  { method: 'DELETE', path: '/v1/operator/keyring', acl: acl.server('keyring', 'write'), handle: changeBy('remove') },
];

const MAX_RELAYS = 5;

interface Order {
  readonly operation: KeyringOperation;
  /** Empty: `list`. */
  readonly key: string;
  readonly relays: number;
}

async function list(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const relays = parseRelays(request);
  const order: Order = { operation: 'list', key: '', relays };
  const reports = parseLocalOnly(request) ? await ofDatacenter('', order, false, request, deps) : await everywhere(order, request, deps);
  throwErrors(reports);
  return jsonReply(encodeJson(reports.map(reportJson), request.indent));
}

function changeBy(operation: Exclude<KeyringOperation, 'list'>): Route['handle'] {
  return async (request, deps) => {
    const { Key: key } = await readJsonBody(request, keyringRequest, { ignoredKeys: ['Token', 'RelayFactor', 'LocalOnly'] });
    const relays = parseRelays(request);
    if (parseLocalOnly(request)) throw badRequest('Invalid use of local-only: local-only can only be set for list requests');
    throwErrors(await everywhere({ operation, key, relays }, request, deps));
    return EMPTY_REPLY;
  };
}

/** The pools of this datacenter, and a server of each other one for its own. A datacenter out of reach is an error among the others. */
async function everywhere(order: Order, request: ApiRequest, deps: ApiDeps): Promise<readonly KeyringReport[]> {
  const { value: datacenters } = await deps.server.call('Catalog.ListDatacenters', {}, callOf(request, ''));
  const others = datacenters.filter((name) => name !== request.config.datacenter).toSorted();
  const reports = await Promise.all([
    ofDatacenter('', order, true, request, deps),
    ...others.map((name) =>
      ofDatacenter(name, order, false, request, deps).catch((thrown: unknown) => [failedReport(name, LictorError.from(thrown))]),
    ),
  ]);
  return reports.flat();
}

async function ofDatacenter(
  datacenter: string,
  order: Order,
  wan: boolean,
  request: ApiRequest,
  deps: ApiDeps,
): Promise<readonly KeyringReport[]> {
  return (await deps.server.call('Operator.Keyring', { ...order, wan }, callOf(request, datacenter))).value;
}

/** Any server may answer: keys can be changed while there is no leader. */
function callOf({ token }: ApiRequest, datacenter: string): CallOptions {
  return { token, datacenter, query: { consistency: 'stale' } };
}

function failedReport(datacenter: string, error: LictorError): KeyringReport {
  return { WAN: false, Datacenter: datacenter, Messages: {}, Keys: {}, PrimaryKeys: {}, NumNodes: 0, Error: error.message };
}

/** As hashicorp/go-multierror prints it (observed: keyring). @throws LictorError when a pool reported anything */
function throwErrors(reports: readonly KeyringReport[]): void {
  const errors = reports.flatMap(({ WAN, Datacenter, Messages, Error: error }) =>
    error === ''
      ? []
      : [`${WAN ? 'WAN' : `${Datacenter} (LAN)`} error: ${error}`, ...Object.entries(Messages).map(([name, text]) => `${name}: ${text}`)],
  );
  if (errors.length === 0) return;
  const head = errors.length === 1 ? '1 error' : `${errors.length} errors`;
  throw new LictorError('rejected', `${head} occurred:\n${errors.map((error) => `\t* ${error}\n`).join('')}\n`);
}

function reportJson({ Messages, Error: _error, Keys, PrimaryKeys, WAN, Datacenter, NumNodes }: KeyringReport): object {
  const messages = Object.keys(Messages).length > 0 ? { Messages } : {};
  return { WAN, Datacenter, Segment: '', ...messages, Keys, PrimaryKeys, NumNodes };
}

function parseRelays({ query }: ApiRequest): number {
  const text = query.get('relay-factor');
  if (text === '') return 0;
  if (!/^[+-]?\d{1,18}$/.test(text))
    throw badRequest(`Error parsing relay factor: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const relays = Number(text);
  if (relays < 0 || relays > MAX_RELAYS) throw badRequest('Invalid relay-factor: Relay factor must be in range: [0, 5]');
  return relays;
}

function parseLocalOnly({ query }: ApiRequest): boolean {
  const text = query.get('local-only');
  if (text === '') return false;
  const isLocal = parseGoBoolean(text);
  if (isLocal === undefined)
    throw badRequest(`Error parsing local-only: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return isLocal;
}

import {
  type CheckDefinition,
  decode,
  type HealthCheck,
  type HealthCheckDefinition,
  type KvEntry,
  LictorError,
  type NodeService,
  type QueryMeta,
  serviceDefinition,
  type TxnOperation,
  type TxnReply,
  type TxnResult,
} from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { encodeJson } from '../reply/encode-json.ts';
import { jsonReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { readBody } from '../request/body.ts';
import { decodeJson, parseJson } from '../request/json-body.ts';
import { parseReadParameters, toCallOptions } from '../request/read-options.ts';
import { write } from '../request/write-call.ts';
import { acl, type Route } from '../routing/route.ts';
import { nodeJson, txnServiceJson } from '../views/catalog.ts';
import { checkJson } from '../views/check.ts';
import { kvEntryJson } from '../views/kv.ts';
import { parseTxnJson, txnBody, type TxnBodyOperation, txnFailed } from './txn-schema.ts';

/** PUT /v1/txn (consul-facts H111). Each operation is authorised by the servers as its own endpoint would be (CVE-2021-38698). */
export const txnRoutes: readonly Route[] = [{ method: 'PUT', path: '/v1/txn', acl: acl.server('key', 'write'), handle: txn }];

const MAX_OPERATIONS = 128;
const LIMIT_URL = 'https://www.consul.io/docs/agent/config/config-files#txn_max_req_len';
const KV_WRITES: readonly string[] = ['set', 'cas', 'lock', 'unlock', 'delete', 'delete-tree', 'delete-cas'];

async function txn(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const sent = await readOperations(request);
  const operations = sent.flatMap((operation) => toOperation(operation, request));
  const writes = sent.some(isWrite);
  if (writes) {
    const value = await write('Txn.Apply', { operations }, request, deps);
    return jsonReply(encodeJson(replyJson(value), request.indent), [], statusOf(value));
  }
  const parameters = parseReadParameters(request);
  const { value, meta } = await deps.server.call('Txn.Read', { operations }, toCallOptions(request, { ...parameters, minIndex: 0 }));
  return readReply(request, value, meta);
}

async function readOperations(request: ApiRequest): Promise<readonly TxnBodyOperation[]> {
  const { limits } = request.config;
  const limit = Math.max(limits.txnMaxRequestBytes, limits.kvMaxValueBytes);
  const body = await readBody(request.message, limit, (size) => {
    const subject = size === undefined ? 'Request body' : `Request body(${size} bytes)`;
    return `${subject} too large, max size: ${limit} bytes. See ${LIMIT_URL}.`;
  });
  parseJson(body, txnFailed);
  const operations = decodeJson(parseTxnJson(body.toString('utf8')), txnBody, { goStruct: '' }, txnFailed);
  if (operations.length > MAX_OPERATIONS) {
    throw new LictorError('too-large', `Transaction contains too many operations (${operations.length} > ${MAX_OPERATIONS})`);
  }
  for (const { KV } of operations) {
    if (KV === undefined || KV.Value.length <= limits.kvMaxValueBytes) continue;
    const sizes = `(${KV.Value.length} > ${limits.kvMaxValueBytes} bytes)`;
    throw new LictorError('too-large', `Value for key ${JSON.stringify(KV.Key)} is too large ${sizes}`);
  }
  return operations;
}

function isWrite(operation: TxnBodyOperation): boolean {
  if (operation.KV !== undefined) return KV_WRITES.includes(operation.KV.Verb);
  const other = operation.Node ?? operation.Service ?? operation.Check;
  return other !== undefined && other.Verb !== 'get';
}

type KvVerb = Extract<TxnOperation, { readonly KV: unknown }>['KV']['Verb'];
type CatalogVerb = Extract<TxnOperation, { readonly Node: { readonly Node: object } }>['Node']['Verb'];

/** An operation with nothing in it is skipped, as Consul does. Unknown verbs go on: the servers answer them per operation. */
function toOperation(operation: TxnBodyOperation, request: ApiRequest): TxnOperation[] {
  const { KV, Node, Service, Check } = operation;
  if (KV !== undefined) {
    const { Key, Value, Flags, Session, Index } = KV;
    return [{ KV: { Verb: KV.Verb as KvVerb, Key, Value, Flags, Session, ModifyIndex: Index } }];
  }
  if (Node !== undefined) {
    const node = { ...Node.Node, Datacenter: Node.Node.Datacenter || request.config.datacenter };
    return [{ Node: { Verb: Node.Verb as CatalogVerb, Node: node } }];
  }
  if (Service !== undefined) {
    return [{ Service: { Verb: Service.Verb as CatalogVerb, Node: Service.Node, Service: toService(Service.Service) } }];
  }
  if (Check !== undefined) return [{ Check: { Verb: Check.Verb as CatalogVerb, Check: toCheck(Check.Check) } }];
  return [];
}

type SentService = NonNullable<TxnBodyOperation['Service']>['Service'];
type SentCheck = NonNullable<TxnBodyOperation['Check']>['Check'];

function toService(sent: SentService): NodeService {
  const { Proxy: proxy } = decode(serviceDefinition, { Proxy: sent.Proxy ?? {} });
  if (proxy === undefined) throw txnFailed('proxy is missing');
  return {
    Kind: sent.Kind as NodeService['Kind'],
    ID: sent.ID,
    Service: sent.Service,
    Tags: sent.Tags,
    Address: sent.Address,
    TaggedAddresses: sent.TaggedAddresses,
    Meta: sent.Meta,
    Port: sent.Port,
    ...(sent.Ports.length === 0 ? {} : { Ports: sent.Ports }),
    SocketPath: sent.SocketPath,
    Weights: sent.Weights ?? { Passing: 1, Warning: 1 },
    EnableTagOverride: sent.EnableTagOverride,
    Proxy: proxy,
    Connect: { Native: sent.Connect?.Native ?? false },
    ...(sent.Locality === undefined ? {} : { Locality: sent.Locality }),
    ...(sent.AI === undefined ? {} : { AI: sent.AI }),
    PeerName: sent.PeerName,
    CreateIndex: sent.CreateIndex,
    ModifyIndex: sent.ModifyIndex,
  };
}

function toCheck({ Namespace: _namespace, Partition: _partition, Definition, Status, ...check }: SentCheck): HealthCheck {
  return { ...check, Status: Status as HealthCheck['Status'], Definition: setFields(Definition) };
}

/** What the catalog keeps of a definition: the fields that say what the check does, and only those that are set. */
function setFields(sent: CheckDefinition | undefined): HealthCheckDefinition {
  if (sent === undefined) return {};
  const {
    ID: _id,
    CheckID: _checkId,
    Name: _name,
    Notes: _notes,
    ServiceID: _serviceId,
    Status: _status,
    Token: _token,
    ...definition
  } = sent;
  return Object.fromEntries(Object.entries(definition).filter(([, value]) => isSet(value)));
}

function isSet(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== '' && value !== 0 && value !== false && value !== undefined;
}

function statusOf(reply: TxnReply): number {
  return reply.Errors.length > 0 ? 409 : 200;
}

function readReply(request: ApiRequest, value: TxnReply, meta: QueryMeta): Reply {
  const body = {
    ...replyJson(value),
    Index: meta.index,
    LastContact: Math.trunc(meta.lastContactMs),
    KnownLeader: meta.knownLeader,
    ConsistencyLevel: '',
    NotModified: false,
    Backend: 0,
    ResultsFilteredByACLs: meta.resultsFilteredByAcls,
  };
  const headers = ['X-Consul-Lastcontact', String(Math.trunc(meta.lastContactMs)), 'X-Consul-Knownleader', String(meta.knownLeader)];
  return jsonReply(encodeJson(body, request.indent), headers, statusOf(value));
}

function replyJson(reply: TxnReply): { readonly Results: object[] | null; readonly Errors: object[] | null } {
  if (reply.Errors.length > 0) return { Results: null, Errors: reply.Errors.map(({ OpIndex, What }) => ({ OpIndex, What })) };
  return { Results: reply.Results.map(resultJson), Errors: null };
}

function resultJson(result: TxnResult): object {
  if ('KV' in result) return { KV: kvResultJson(result.KV) };
  if ('Node' in result) return { Node: nodeJson(result.Node) };
  if ('Service' in result) return { Service: txnServiceJson(result.Service) };
  return { Check: { ...checkJson(result.Check), ServiceTags: result.Check.ServiceTags.length === 0 ? null : result.Check.ServiceTags } };
}

const NO_BYTES = new Uint8Array(0);

function kvResultJson(entry: Omit<KvEntry, 'Value'> & { readonly Value: Uint8Array | null }): object {
  return kvEntryJson({ ...entry, Value: entry.Value ?? NO_BYTES });
}

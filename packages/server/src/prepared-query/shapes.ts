import type { PreparedQueryDefinition, PreparedQueryExecuteRequest, PreparedQueryRemoteRequest } from '@lictor/protocol';
import { isObject } from '../fsm/catalog/shapes.ts';
import { MAX_LIST_ITEMS, MAX_NAME_LENGTH, MAX_REGEXP_LENGTH, MAX_TEXT_LENGTH, MAX_TOTAL_LENGTH } from './limits.ts';

/** What a log entry's query must look like, sizes included: a follower applies whatever was committed. */
export function isPreparedQueryFields(value: unknown): value is Omit<PreparedQueryDefinition, 'CreateIndex' | 'ModifyIndex'> {
  if (!isObject(value)) return false;
  const { ID: id, Name: name, Session: session, Token: token, Template: template, Service: service, DNS: dns } = value;
  return (
    isText(id) &&
    id !== '' &&
    isText(name) &&
    name.length <= MAX_NAME_LENGTH &&
    isText(session) &&
    isText(token) &&
    isObject(template) &&
    isText(template.Type) &&
    isText(template.Regexp) &&
    template.Regexp.length <= MAX_REGEXP_LENGTH &&
    typeof template.RemoveEmptyTags === 'boolean' &&
    isService(service) &&
    isObject(dns) &&
    isText(dns.TTL) &&
    textLength(service) <= MAX_TOTAL_LENGTH
  );
}

/** What comes over the network is of any shape. */
export function isExecuteRequest(value: unknown): value is PreparedQueryExecuteRequest {
  if (!isObject(value) || !isObject(value.agent)) return false;
  const { idOrName, near, ip, limit, connect, agent } = value;
  return (
    [idOrName, near, ip, agent.node, agent.datacenter, agent.segment].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(limit) &&
    typeof connect === 'boolean'
  );
}

export function isRemoteRequest(value: unknown): value is PreparedQueryRemoteRequest {
  return isObject(value) && isPreparedQueryFields(value.query) && Number.isSafeInteger(value.limit) && typeof value.connect === 'boolean';
}

function isService(value: unknown): boolean {
  if (!isObject(value) || !isFailover(value.Failover)) return false;
  const { Service: service, SamenessGroup: group, Near: near, Peer: peer } = value;
  return (
    [service, group, near, peer].every(isText) &&
    [value.OnlyPassing, value.Connect].every((flag) => typeof flag === 'boolean') &&
    [value.IgnoreCheckIDs, value.Tags].every((list) => isListOrNull(list, isText)) &&
    [value.NodeMeta, value.ServiceMeta].every(isMapOrNull)
  );
}

/** Of all texts in it, keys included. Recurses no deeper than the shape. */
function textLength(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce((sum, [key, item]) => sum + (Array.isArray(value) ? 0 : key.length) + textLength(item), 0);
}

function isFailover(value: unknown): boolean {
  return (
    isObject(value) &&
    Number.isSafeInteger(value.NearestN) &&
    isListOrNull(value.Datacenters, isText) &&
    isListOrNull(value.Targets, (target) => isObject(target) && isText(target.Peer) && isText(target.Datacenter))
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT_LENGTH;
}

function isListOrNull(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return value === null || (Array.isArray(value) && value.length <= MAX_LIST_ITEMS && value.every(isItem));
}

function isMapOrNull(value: unknown): boolean {
  if (value === null) return true;
  if (!isObject(value) || Array.isArray(value)) return false;
  const pairs = Object.entries(value);
  return pairs.length <= MAX_LIST_ITEMS && pairs.every((pair) => pair.every(isText));
}

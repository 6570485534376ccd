import { Buffer } from 'node:buffer';
import type { KvEntry } from '@lictor/protocol';
import { type Answer, eventIndex, type LictorClient, type QueryOptions, type UserEvent } from '@lictor/sdk';
import { CommandFailure } from '../framework/command.ts';

/** What the flags of `watch` say. */
export interface WatchParameters {
  readonly type: string;
  readonly key: string;
  readonly prefix: string;
  readonly service: string;
  readonly tags: readonly string[];
  readonly passingOnly: boolean;
  readonly state: string;
  readonly name: string;
  readonly filter: string;
}

/** One blocking query; `lastIndex` is the index that the previous answer had. */
export type WatchQuery = (options: QueryOptions, lastIndex: string) => Promise<Answer<unknown>>;

type Parameter = Exclude<keyof WatchParameters, 'type'>;

/** Flags that each type takes; Consul refuses the others. */
const TYPES: Readonly<Record<string, readonly Parameter[]>> = {
  key: ['key'],
  keyprefix: ['prefix'],
  services: ['filter'],
  nodes: ['filter'],
  service: ['service', 'tags', 'passingOnly', 'filter'],
  checks: ['service', 'state', 'filter'],
  event: ['name'],
};
const AGENT_TYPES = ['connect_roots', 'connect_leaf', 'agent_service'];

/** Checks the parameters and says what to ask. @throws CommandFailure in Consul's words */
export function createWatchQuery(parameters: WatchParameters, client: () => LictorClient): WatchQuery {
  const { type } = parameters;
  if (AGENT_TYPES.includes(type)) throw new CommandFailure(`Type ${type} is not supported in the CLI tool`);
  const taken = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (taken === undefined) throw new CommandFailure(`Unsupported watch type: ${type}`);
  const query = queryFor(parameters, client);
  const refused = (Object.keys(parameters) as (keyof WatchParameters)[]).filter(
    (name) => name !== 'type' && !taken.includes(name) && isSet(parameters[name]),
  );
  if (refused.length > 0)
    throw new CommandFailure(`Invalid parameters: [${refused.map((name) => (name === 'tags' ? 'tag' : name.toLowerCase())).join(' ')}]`);
  return query;
}

function queryFor(
  { type, key, prefix, service, tags, passingOnly, state, name, filter }: WatchParameters,
  client: () => LictorClient,
): WatchQuery {
  switch (type) {
    case 'key':
      if (key === '') throw new CommandFailure('Must specify a single key to watch');
      return async (options) => mapped(await client().kv.get(key, options), (entry) => (entry === undefined ? null : viewEntry(entry)));
    case 'keyprefix':
      if (prefix === '') throw new CommandFailure('Must specify a single prefix to watch');
      return async (options) =>
        mapped(await client().kv.list(prefix, options), (entries) => (entries.length === 0 ? null : entries.map(viewEntry)));
    case 'services':
      return (options) => client().catalog.services({ ...options, filter });
    case 'nodes':
      return (options) => client().catalog.nodes({ ...options, filter });
    case 'service':
      if (service === '') throw new CommandFailure('Must specify a single service to watch');
      return (options) => client().health.service(service, { ...options, filter, tags, passingOnly });
    case 'checks':
      if (service !== '' && state !== '') throw new CommandFailure('Cannot specify service and state');
      return (options) =>
        service === ''
          ? client().health.state(state || 'any', { ...options, filter })
          : client().health.checks(service, { ...options, filter });
    default:
      return async (options, lastIndex) => mapped(await client().event.list(name, options), (events) => onlyNew(events, lastIndex));
  }
}

/** The events behind the one that the last answer ended with. */
function onlyNew(events: readonly UserEvent[], lastIndex: string): readonly UserEvent[] {
  if (lastIndex === '') return events;
  const seen = events.findIndex(({ ID }) => String(eventIndex(ID)) === lastIndex);
  return events.slice(seen + 1);
}

/** As Consul's Go client spells an entry. */
function viewEntry(entry: KvEntry): unknown {
  const { Key, CreateIndex, ModifyIndex, LockIndex, Flags, Value, Session } = entry;
  return {
    Key,
    CreateIndex,
    ModifyIndex,
    LockIndex,
    Flags,
    Value: Value.length === 0 ? null : Buffer.from(Value).toString('base64'),
    Session,
  };
}

function mapped<T, U>({ value, meta }: Answer<T>, map: (value: T) => U): Answer<U> {
  return { value: map(value), meta };
}

function isSet(value: string | boolean | readonly string[]): boolean {
  return typeof value === 'boolean' ? value : value.length > 0;
}

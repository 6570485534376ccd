import { boolean, type Infer, integer, list, nullable, object, record, string } from '../schema/index.ts';
import type { CheckServiceNode } from './catalog.ts';
import type { RaftIndex } from './common.ts';

/** A query whose strings are filled in from the name that it is asked by: the longest name that is a prefix of it wins. */
export const NAME_PREFIX_MATCH = 'name_prefix_match';

const failoverTarget = object({ Peer: string(), Datacenter: string() });
export type PreparedQueryTarget = Infer<typeof failoverTarget>;

/** Null and empty lists are told apart, as Consul's answers do. */
const preparedQueryService = object({
  Service: string(),
  SamenessGroup: string(),
  Failover: object({
    /** So many other datacenters are asked, the nearest first. */
    NearestN: integer(),
    /** Asked after those, in this order. */
    Datacenters: nullable(list(string())),
    /** Instead of the other two. */
    Targets: nullable(list(failoverTarget)),
  }),
  /** Instances with a warning are left out, too. */
  OnlyPassing: boolean(),
  IgnoreCheckIDs: nullable(list(string())),
  /** A node's name, `_agent` or `_ip`. */
  Near: string(),
  /** All must be there; one that begins with `!` must not. */
  Tags: nullable(list(string())),
  NodeMeta: nullable(record(string())),
  ServiceMeta: nullable(record(string())),
  /** Instances that stand for the service in the mesh. */
  Connect: boolean(),
  Peer: string(),
});
export type PreparedQueryService = Infer<typeof preparedQueryService>;

/** Body of POST /v1/query and PUT /v1/query/:id. */
export const preparedQueryDefinition = object({
  ID: string(),
  Name: string(),
  /** The query goes with this session. */
  Session: string(),
  /** It is executed with this token's rights, whoever asks. */
  Token: string(),
  Template: object({ Type: string(), Regexp: string(), RemoveEmptyTags: boolean() }),
  Service: preparedQueryService,
  DNS: object({ TTL: string() }),
  CreateIndex: integer(),
  ModifyIndex: integer(),
});
export type PreparedQueryDefinition = Infer<typeof preparedQueryDefinition>;

/** A query that was prepared on the servers, to be executed by name or id (consul-facts H120). */
export type PreparedQuery = Readonly<Omit<PreparedQueryDefinition, 'CreateIndex' | 'ModifyIndex'>> & RaftIndex;

/** Who executes a query, and how. */
export interface PreparedQueryExecuteRequest {
  readonly idOrName: string;
  /** At most so many instances; 0: all. */
  readonly limit: number;
  /** As if the query said `Connect`. */
  readonly connect: boolean;
  /** What the caller wants the answer to be near to: a node's name, `_agent`, `_ip`, or empty for what the query says. */
  readonly near: string;
  /** The caller's IP address, for `_ip`; may be empty. */
  readonly ip: string;
  /** The agent that asks. */
  readonly agent: { readonly node: string; readonly datacenter: string; readonly segment: string };
}

/** What a datacenter whose own instances have failed asks of another. */
export interface PreparedQueryRemoteRequest {
  /** Filled in already: the other datacenter does not know it. */
  readonly query: PreparedQuery;
  readonly limit: number;
  readonly connect: boolean;
}

export interface PreparedQueryResult {
  readonly Service: string;
  readonly Nodes: readonly CheckServiceNode[];
  readonly DNS: { readonly TTL: string };
  /** Where the instances are. */
  readonly Datacenter: string;
  readonly PeerName: string;
  /** How many other datacenters were asked. */
  readonly Failovers: number;
}

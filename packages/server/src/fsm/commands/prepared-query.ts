import type { PreparedQueryDefinition } from '@lictor/protocol';
import { isObject } from '../catalog/shapes.ts';
import { total } from '../catalog/total.ts';
import { compileTemplate, isTemplate } from '../../prepared-query/template.ts';
import { MAX_QUERIES } from '../../prepared-query/limits.ts';
import { isPreparedQueryFields } from '../../prepared-query/shapes.ts';
import { isUuid } from '../../prepared-query/uuid.ts';
import { foldName } from '../../state/tables/keys.ts';
import { preparedQueriesTable, preparedQueryKey } from '../../state/tables/prepared-queries.ts';
import { sessionsTable } from '../../state/tables/sessions.ts';
import type { StateTxn } from '../../state/types.ts';
import { CommandFailure, type CommandHandlers } from '../types.ts';

export const PREPARED_QUERY_SET = 'prepared-query.set';
export const PREPARED_QUERY_DELETE = 'prepared-query.delete';

export type PreparedQueryFields = Omit<PreparedQueryDefinition, 'CreateIndex' | 'ModifyIndex'>;

export interface SetPreparedQueryBody {
  readonly query: PreparedQueryFields;
  /** It must be there already; else it must not. */
  readonly isUpdate: boolean;
}

export const preparedQueryCommands = {
  [PREPARED_QUERY_SET]: total(PREPARED_QUERY_SET, isSetBody, setQuery),
  [PREPARED_QUERY_DELETE]: total(PREPARED_QUERY_DELETE, isDeleteBody, deleteQuery),
} satisfies CommandHandlers;

function setQuery(txn: StateTxn, { query, isUpdate }: SetPreparedQueryBody): null | CommandFailure {
  const existing = txn.peek(preparedQueriesTable, preparedQueryKey(query.ID));
  if (isUpdate && existing === undefined) return refusal(`Cannot modify non-existent prepared query: '${query.ID}'`);
  if (!isUpdate && existing !== undefined) return refusal(`a prepared query with the id '${query.ID}' already exists`);
  if (!isUpdate && txn.count(preparedQueriesTable) >= MAX_QUERIES) return refusal(`there are ${MAX_QUERIES} prepared queries already`);
  const problem = nameProblem(txn, query) ?? sessionProblem(txn, query) ?? templateProblem(query);
  if (problem !== undefined) return refusal(problem);
  txn.put(preparedQueriesTable, rowOf(query));
  return null;
}

/**
 * Queries are found by id or by name: with a name that is another's id, or its name, one could take the place of a query that one may
 * not change.
 */
function nameProblem(txn: StateTxn, query: PreparedQueryFields): string | undefined {
  const isOther = (index: 'name' | 'template'): boolean =>
    [...txn.find(preparedQueriesTable, index, foldName(query.Name))].some((row) => preparedQueryKey(row.ID) !== preparedQueryKey(query.ID));
  if (query.Name !== '' && isOther('name')) return `name '${query.Name}' aliases an existing query name`;
  if (query.Name === '' && isTemplate(query) && isOther('template')) return 'a query template with an empty name already exists';
  const isId = isUuid(query.Name) && txn.peek(preparedQueriesTable, preparedQueryKey(query.Name)) !== undefined;
  return isId ? `name '${query.Name}' aliases an existing query ID` : undefined;
}

function sessionProblem(txn: StateTxn, { Session: session }: PreparedQueryFields): string | undefined {
  if (session === '' || txn.peek(sessionsTable, session) !== undefined) return undefined;
  return `invalid session ${JSON.stringify(session)}`;
}

function templateProblem(query: PreparedQueryFields): string | undefined {
  if (!isTemplate(query)) return undefined;
  try {
    compileTemplate(query);
    return undefined;
  } catch (thrown) {
    return `failed compiling template: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** Field by field: nothing else that a body may hold gets into the state. */
function rowOf({ ID, Name, Session, Token, Template, Service, DNS }: PreparedQueryFields) {
  const { Type, Regexp, RemoveEmptyTags } = Template;
  const { NearestN, Datacenters, Targets } = Service.Failover;
  const targets = Targets?.map(({ Peer, Datacenter }) => ({ Peer, Datacenter })) ?? null;
  return {
    ID,
    Name,
    Session,
    Token,
    Template: { Type, Regexp, RemoveEmptyTags },
    Service: {
      Service: Service.Service,
      SamenessGroup: Service.SamenessGroup,
      Failover: { NearestN, Datacenters, Targets: targets },
      OnlyPassing: Service.OnlyPassing,
      IgnoreCheckIDs: Service.IgnoreCheckIDs,
      Near: Service.Near,
      Tags: Service.Tags,
      NodeMeta: Service.NodeMeta,
      ServiceMeta: Service.ServiceMeta,
      Connect: Service.Connect,
      Peer: Service.Peer,
    },
    DNS: { TTL: DNS.TTL },
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

/** False when there was none, which is no failure. */
function deleteQuery(txn: StateTxn, { id }: { readonly id: string }): boolean {
  return txn.remove(preparedQueriesTable, preparedQueryKey(id));
}

function refusal(message: string): CommandFailure {
  return new CommandFailure('rejected', message);
}

function isSetBody(value: unknown): value is SetPreparedQueryBody {
  return isObject(value) && typeof value.isUpdate === 'boolean' && isPreparedQueryFields(value.query);
}

function isDeleteBody(value: unknown): value is { readonly id: string } {
  return isObject(value) && typeof value.id === 'string';
}

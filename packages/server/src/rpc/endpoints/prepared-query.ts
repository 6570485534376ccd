import {
  decode,
  DecodeError,
  LictorError,
  type PreparedQuery,
  type PreparedQueryDefinition,
  preparedQueryDefinition,
  randomUuid,
} from '@lictor/protocol';
import {
  PREPARED_QUERY_DELETE,
  PREPARED_QUERY_SET,
  type PreparedQueryFields,
  type SetPreparedQueryBody,
} from '../../fsm/commands/prepared-query.ts';
import { isListed, queryNotFound, redact, ruledName, validateQuery } from '../../prepared-query/index.ts';
import { preparedQueriesTable, preparedQueryKey } from '../../state/tables/prepared-queries.ts';
import type { ReadEndpoint, ReadEndpoints, WriteContext, WriteEndpoint, WriteEndpoints } from '../types.ts';
import { requireAccess, visible } from './shared/acl.ts';
import { applyFailure } from './shared/apply-failure.ts';
import { measure } from './shared/measure.ts';
import { lookUpUuid } from './shared/uuid.ts';

const get: ReadEndpoint<'PreparedQuery.Get'> = (reader, { id }, { authorizer }) => {
  lookUpUuid(id, 'rejected', 'failed prepared query lookup: index error: ');
  // Labelled with the table's index, as Consul does (observed: GET /v1/query/:id).
  reader.count(preparedQueriesTable);
  const query = reader.get(preparedQueriesTable, preparedQueryKey(id));
  if (query === undefined) throw queryNotFound();
  if (ruledName(query) !== undefined && !isListed(authorizer, query)) throw new LictorError('permission-denied', 'Permission denied');
  return redact(authorizer, query);
};

/** Those without a name are for who has their ids: leaving them out tells nothing. */
const list: ReadEndpoint<'PreparedQuery.List'> = (reader, _request, context) => {
  const { authorizer } = context;
  const queries = [...reader.scan(preparedQueriesTable)];
  const named = queries.filter((query) => ruledName(query) !== undefined || isListed(authorizer, query));
  return visible(context, named, (query) => isListed(authorizer, query)).map((query) => redact(authorizer, query));
};

export const preparedQueryReads = { 'PreparedQuery.Get': get, 'PreparedQuery.List': list } satisfies ReadEndpoints;

const create: WriteEndpoint<'PreparedQuery.Create'> = async (sent, context) => {
  const query = decodeQuery(sent);
  if (query.ID !== '') throw new LictorError('rejected', 'ID must be empty when creating a new prepared query');
  const id = randomUuid(context.random);
  authorizeName(context, query);
  validateQuery(query);
  return { index: await propose(context, { query: fieldsOf(query, id), isUpdate: false }), value: id };
};

const update: WriteEndpoint<'PreparedQuery.Update'> = async (sent, context) => {
  const query = decodeQuery(sent);
  authorizeName(context, query);
  authorizeName(context, findExisting(context, query.ID));
  validateQuery(query);
  return { index: await propose(context, { query: fieldsOf(query, query.ID), isUpdate: true }), value: undefined };
};

const remove: WriteEndpoint<'PreparedQuery.Delete'> = async ({ id }, context) => {
  authorizeName(context, findExisting(context, id));
  const { index } = await context.propose(PREPARED_QUERY_DELETE, { id }).catch(applyFailure('raft apply failed'));
  return { index, value: undefined };
};

export const preparedQueryWrites = {
  'PreparedQuery.Create': (request, context) => measure(context, 'prepared-query.apply', () => create(request, context)),
  'PreparedQuery.Update': (request, context) => measure(context, 'prepared-query.apply', () => update(request, context)),
  'PreparedQuery.Delete': (request, context) => measure(context, 'prepared-query.apply', () => remove(request, context)),
} satisfies WriteEndpoints;

/** What comes over the network is of any shape. @throws LictorError `invalid-argument` */
function decodeQuery(sent: unknown): PreparedQueryDefinition {
  try {
    return decode(preparedQueryDefinition, sent);
  } catch (thrown) {
    if (thrown instanceof DecodeError)
      throw new LictorError('invalid-argument', `not a prepared query: ${thrown.message}`, { cause: thrown });
    throw thrown;
  }
}

/** What is proposed and what is there: who renames a query needs the right to both names. @throws LictorError `permission-denied` */
function authorizeName({ authorizer, logger }: WriteContext, query: PreparedQueryDefinition | PreparedQuery): void {
  const name = ruledName(query);
  if (name === undefined || authorizer.allows('query', name, 'write')) return;
  logger.warn('Operation on prepared query denied due to ACLs', { query: query.ID });
  requireAccess(authorizer, 'query', name, 'write');
}

function findExisting(context: WriteContext, id: string): PreparedQuery {
  lookUpUuid(id, 'rejected', 'Prepared Query lookup failed: failed prepared query lookup: index error: ');
  const existing = context.reader().peek(preparedQueriesTable, preparedQueryKey(id));
  if (existing === undefined) throw new LictorError('rejected', `Cannot modify non-existent prepared query: '${id}'`);
  return existing;
}

function fieldsOf({ CreateIndex: _created, ModifyIndex: _modified, ...fields }: PreparedQueryDefinition, id: string): PreparedQueryFields {
  return { ...fields, ID: id };
}

async function propose(context: WriteContext, body: SetPreparedQueryBody): Promise<number> {
  const { index } = await context.propose(PREPARED_QUERY_SET, body).catch(applyFailure('raft apply failed'));
  return index;
}

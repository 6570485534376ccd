import { LictorError, type PreparedQuery } from '@lictor/protocol';
import { foldName } from '../state/tables/keys.ts';
import { preparedQueriesTable, preparedQueryKey } from '../state/tables/prepared-queries.ts';
import type { StateReader } from '../state/types.ts';
import { MAX_NAME_LENGTH } from './limits.ts';
import { isTemplate, templateOf } from './template.ts';
import { isUuid } from './uuid.ts';

/**
 * The query that an id or a name stands for: by id, by its whole name, or the template whose name is the longest prefix of it. Templates
 * come filled in.
 * @param segment the network segment of the agent that asks
 * @throws LictorError `rejected`, `not-found`
 */
export function resolveQuery(reader: StateReader, idOrName: string, segment: string): PreparedQuery {
  if (idOrName === '') throw new LictorError('rejected', 'Missing Query ID');
  if (idOrName.length > MAX_NAME_LENGTH) throw queryNotFound();
  const byId = isUuid(idOrName) ? reader.get(preparedQueriesTable, preparedQueryKey(idOrName)) : undefined;
  if (byId !== undefined && isTemplate(byId)) {
    throw new LictorError('rejected', 'prepared query templates can only be resolved up by name, not by ID');
  }
  const found = byId ?? findByName(reader, foldName(idOrName));
  if (found === undefined) throw queryNotFound();
  return isTemplate(found) ? fillIn(found, idOrName, segment) : found;
}

export function queryNotFound(): LictorError {
  return new LictorError('not-found', 'Query not found');
}

function findByName(reader: StateReader, name: string): PreparedQuery | undefined {
  return only(reader.find(preparedQueriesTable, 'name', name)) ?? findTemplate(reader, name);
}

/** No name is longer than its limit, so this looks up no more than so many. */
function findTemplate(reader: StateReader, name: string): PreparedQuery | undefined {
  for (let length = name.length; length >= 0; length--) {
    const template = only(reader.find(preparedQueriesTable, 'template', name.slice(0, length)));
    if (template !== undefined) return template;
  }
  return undefined;
}

function only<Row>(rows: Iterable<Row>): Row | undefined {
  for (const row of rows) return row;
  return undefined;
}

function fillIn(query: PreparedQuery, name: string, segment: string): PreparedQuery {
  try {
    return { ...query, Service: templateOf(query).render(name, segment) };
  } catch (thrown) {
    throw new LictorError('rejected', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}

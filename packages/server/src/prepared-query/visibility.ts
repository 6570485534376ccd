import type { Authorizer } from '@lictor/mesh';
import type { PreparedQuery, PreparedQueryDefinition } from '@lictor/protocol';
import { REDACTED_TOKEN } from './redacted-token.ts';

/** The name that rules on the query are about; undefined for one without: whoever has its id may see and change it. */
export function ruledName({ Name: name, Template: template }: Pick<PreparedQueryDefinition, 'Name' | 'Template'>): string | undefined {
  return name !== '' || template.Type !== '' ? name : undefined;
}

/** Who manages ACLs sees everything. */
export function isManagement(authorizer: Authorizer): boolean {
  return authorizer.allows('acl', '', 'write');
}

/** What a list shows: queries with a name that the caller may read. */
export function isListed(authorizer: Authorizer, query: PreparedQuery): boolean {
  if (isManagement(authorizer)) return true;
  const name = ruledName(query);
  return name !== undefined && authorizer.allows('query', name, 'read');
}

export function redact(authorizer: Authorizer, query: PreparedQuery): PreparedQuery {
  return query.Token === '' || isManagement(authorizer) ? query : { ...query, Token: REDACTED_TOKEN };
}

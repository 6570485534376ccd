import type { Authorizer } from '@lictor/mesh';
import { compileFilter, FilterError, type FilterType } from '@lictor/mesh';
import { LictorError } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { resolveAuthorizer } from '../../routing/authorize.ts';

export interface FilteredItems<T> {
  readonly items: readonly T[];
  /** X-Consul-Results-Filtered-By-Acls, only told to callers that sent a token. */
  readonly headers: readonly string[];
}

/**
 * What the caller may see and asked for. The token decides first: a filter expression must never run on data that its author cannot read
 * (Consul 1.20.2).
 */
export async function filterItems<T>(
  items: readonly T[],
  mayRead: (authorizer: Authorizer, item: T) => boolean,
  filterType: FilterType,
  request: ApiRequest,
  deps: ApiDeps,
): Promise<FilteredItems<T>> {
  const expression = request.query.get('filter');
  const matches = expression === '' ? undefined : compile(expression, filterType);
  const authorizer = await resolveAuthorizer(request.token, request.config.aclEnabled, deps);
  const readable = items.filter((item) => mayRead(authorizer, item));
  const headers = request.sentToken && readable.length < items.length ? ['X-Consul-Results-Filtered-By-Acls', 'true'] : [];
  return { items: matches === undefined ? readable : readable.filter(matches), headers };
}

function compile(expression: string, type: FilterType): (value: unknown) => boolean {
  try {
    return compileFilter(expression, type);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new LictorError('rejected', `Failed to create boolean expression evaluator: ${error.message}`);
  }
}

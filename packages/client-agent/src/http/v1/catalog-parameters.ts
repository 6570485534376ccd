import type { CatalogFilter, ServiceQuery } from '@lictor/protocol';
import type { ApiRequest } from '../request/api-request.ts';

/** `?filter=`, `?node-meta=k:v` (repeatable) and `?near=`, shared by lists of nodes and instances. */
export function catalogFilter(request: ApiRequest): CatalogFilter {
  const { query } = request;
  const filter = query.get('filter');
  const near = query.get('near');
  const nodeMeta = query.all('node-meta');
  return {
    ...(filter === '' ? {} : { filter }),
    ...(near === '' ? {} : { near: near === '_agent' ? request.config.nodeName : near }),
    ...(nodeMeta.length === 0 ? {} : { nodeMeta: parseNodeMeta(nodeMeta) }),
  };
}

export function serviceQuery(request: ApiRequest, service: string): ServiceQuery {
  const { query } = request;
  const tags = query.all('tag');
  const peer = query.get('peer');
  return {
    ...catalogFilter(request),
    service,
    ...(tags.length === 0 ? {} : { tags }),
    ...(query.has('merge-central-config') ? { mergeCentralConfig: true } : {}),
    ...(peer === '' ? {} : { peer }),
  };
}

function parseNodeMeta(pairs: readonly string[]): Record<string, string> {
  const meta = Object.create(null) as Record<string, string>;
  for (const pair of pairs) {
    const colon = pair.indexOf(':');
    if (colon < 0) meta[pair] = '';
    else meta[pair.slice(0, colon)] = pair.slice(colon + 1);
  }
  return meta;
}

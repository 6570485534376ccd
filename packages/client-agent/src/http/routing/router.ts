import { assert } from '@lictor/protocol';
import type { MetricLabels } from '@lictor/protocol';
import type { HttpMethod, Route } from './route.ts';

/** Every route of one path. */
export interface Endpoint {
  readonly path: string;
  readonly routes: ReadonlyMap<string, Route>;
  /** Value of the Allow header. */
  readonly allow: string;
  readonly methodsOf: Route['methodsOf'];
  /** Labels of `api.http` by method: a bounded set, made once. */
  readonly labels: ReadonlyMap<string, MetricLabels>;
}

/**
 * Finds the endpoint of a path: an exact one first, then the longest registered prefix, as Go's ServeMux does. Authorisation
 * hangs on the route that comes out of here, never on the path's text, so the two cannot drift apart.
 */
export class Router {
  readonly #exact = new Map<string, Endpoint>();
  readonly #prefixes = new Map<string, Endpoint>();
  #deepestPrefix = 0;

  constructor(routes: readonly Route[]) {
    for (const [path, group] of groupByPath(routes)) {
      const endpoint = createEndpoint(path, group);
      if (!path.endsWith('/')) {
        this.#exact.set(path, endpoint);
        continue;
      }
      this.#prefixes.set(path, endpoint);
      this.#deepestPrefix = Math.max(this.#deepestPrefix, path.split('/').length - 1);
    }
  }

  find(path: string): Endpoint | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    let best: Endpoint | undefined;
    let slash = -1;
    for (let depth = 0; depth < this.#deepestPrefix; depth++) {
      slash = path.indexOf('/', slash + 1);
      if (slash < 0) break;
      best = this.#prefixes.get(path.slice(0, slash + 1)) ?? best;
    }
    return best;
  }

  /** Whether `path` is a registered prefix without its last slash: ServeMux redirects such a path to the prefix. */
  isPrefixWithoutSlash(path: string): boolean {
    return this.#prefixes.has(`${path}/`);
  }
}

function groupByPath(routes: readonly Route[]): Map<string, Route[]> {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const group = groups.get(route.path);
    if (group === undefined) groups.set(route.path, [route]);
    else group.push(route);
  }
  return groups;
}

const MEASURED_METHODS: readonly string[] = ['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS'];

function createEndpoint(path: string, routes: readonly Route[]): Endpoint {
  const byMethod = new Map<HttpMethod, Route>(routes.map((route) => [route.method, route]));
  assert(byMethod.size === routes.length, `two routes for one method of ${path}`);
  const pathLabel = path.slice(1).replaceAll('/', '_');
  return {
    path,
    routes: byMethod,
    allow: ['OPTIONS', ...byMethod.keys()].join(','),
    methodsOf: routes.find((route) => route.methodsOf !== undefined)?.methodsOf,
    labels: new Map(MEASURED_METHODS.map((method) => [method, { method, path: pathLabel }])),
  };
}

/** Go's `path.Clean` with the trailing slash kept: what ServeMux redirects to. */
export function cleanPath(path: string): string {
  const out: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') out.pop();
    else out.push(segment);
  }
  const cleaned = `/${out.join('/')}`;
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

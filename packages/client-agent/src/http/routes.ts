import { pprofRoutes } from './debug/pprof.ts';
import type { Route } from './routing/route.ts';
import { apiRoutes } from './v1/index.ts';

/** Everything that is served beside the pages: docs/reference/http.md lists the same routes, and a test compares the two. */
export const allRoutes: readonly Route[] = [...apiRoutes, ...pprofRoutes];

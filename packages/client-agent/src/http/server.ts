import type { ApiDeps } from './deps.ts';
import { ConnectionCap } from './connection-cap.ts';
import { Dispatcher } from './dispatch.ts';
import { type BoundAddress, openListeners } from './listeners.ts';
import { allRoutes } from './routes.ts';
import { Waiters } from './waiters.ts';

/** The running HTTP API. */
export interface HttpApi {
  readonly addresses: readonly BoundAddress[];
  /** Requests that wait for something now: blocking queries and streams. */
  readonly waiting: number;
  /** Stops accepting, ends what waits, lets running requests finish for `drainMs`, then cuts the rest. */
  close(drainMs?: number): Promise<void>;
}

const DRAIN_MS = 5_000;

/** @throws LictorError `unavailable` when an address cannot be bound; nothing stays open then */
export async function startHttpApi(deps: ApiDeps): Promise<HttpApi> {
  const waiters = new Waiters();
  const dispatcher = new Dispatcher(deps, allRoutes, waiters);
  const cap = new ConnectionCap(() => deps.config().http.maxConnectionsPerClient);
  const listeners = await openListeners(
    deps.config(),
    (request, response) => dispatcher.handle(request, response),
    (server) => cap.watch(server),
    deps.httpsIdentity,
  );
  return {
    addresses: listeners.map((listener) => listener.address),
    get waiting() {
      return waiters.count;
    },
    close: async (drainMs = DRAIN_MS) => {
      const closed = listeners.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())));
      waiters.stop();
      for (const { server } of listeners) server.closeIdleConnections();
      const cut = deps.clock.setTimer(drainMs, () => {
        for (const { server } of listeners) server.closeAllConnections();
      });
      await Promise.all(closed);
      cut.cancel();
    },
  };
}

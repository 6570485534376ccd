import type { ServerResponse } from 'node:http';

/** Requests that wait for something: each ends when its client goes, and all end when the agent stops. */
export class Waiters {
  readonly #controllers = new Set<AbortController>();
  #stopping = false;

  /** One signal per request. */
  signalFor(response: ServerResponse): AbortSignal {
    const controller = new AbortController();
    if (this.#stopping) {
      controller.abort(stopping());
      return controller.signal;
    }
    this.#controllers.add(controller);
    response.once('close', () => {
      this.#controllers.delete(controller);
      // Answered: nobody listens any more, and an abort is not free.
      if (!response.writableFinished) controller.abort(GONE);
    });
    return controller.signal;
  }

  /** The agent stops: answers should not keep their connection. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  get count(): number {
    return this.#controllers.size;
  }

  stop(): void {
    this.#stopping = true;
    for (const controller of this.#controllers) controller.abort(stopping());
    this.#controllers.clear();
  }
}

const GONE = new Error('the client is gone');

function stopping(): Error {
  return new Error('agent is shutting down');
}

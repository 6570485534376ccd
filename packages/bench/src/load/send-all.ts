import type { Socket } from 'node:net';
import { type LoadOptions, openHttp } from './http-load.ts';

export interface SendAllOptions extends Omit<LoadOptions, 'durationMs'> {
  /** How many answers of 5xx are followed by the same request again: a cluster may change its leader meanwhile. Default: none. */
  readonly repeats?: number;
}

/** Sends exactly `count` requests over the connections and waits for every answer. @throws when one is an error */
export async function sendAll({ host, port, connections, request, repeats = 0 }: SendAllOptions, count: number): Promise<void> {
  let next = 0;
  let repeatsLeft = repeats;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const failed = Promise.withResolvers<never>();
      let current = 0;
      const sendNext = (socket: Socket): void => {
        current = next++;
        if (current < count) socket.write(request(current));
        else socket.destroy();
      };
      const socket = await openHttp({ host, port }, (status, from) => {
        if (status >= 500 && repeatsLeft-- > 0) from.write(request(current));
        else if (status >= 400) failed.reject(new Error(`answered ${status}`));
        else sendNext(from);
      });
      const closed = new Promise<void>((done) => socket.once('close', () => done()));
      socket.once('error', failed.reject);
      sendNext(socket);
      await Promise.race([closed, failed.promise]);
    }),
  );
}

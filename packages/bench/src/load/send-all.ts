import type { Socket } from 'node:net';
import { type LoadOptions, openHttp } from './http-load.ts';

/** Sends exactly `count` requests over the connections and waits for every answer. @throws when one is an error */
export async function sendAll({ host, port, connections, request }: Omit<LoadOptions, 'durationMs'>, count: number): Promise<void> {
  let next = 0;
  const send = (socket: Socket): void => {
    if (next < count) socket.write(request(next++));
    else socket.destroy();
  };
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const failed = Promise.withResolvers<never>();
      const socket = await openHttp({ host, port }, (status, from) => {
        if (status >= 400) failed.reject(new Error(`answered ${status}`));
        send(from);
      });
      const closed = new Promise<void>((done) => socket.once('close', () => done()));
      socket.once('error', failed.reject);
      send(socket);
      await Promise.race([closed, failed.promise]);
    }),
  );
}

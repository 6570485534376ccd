import { connect } from 'node:net';
import { type LoadOptions, ResponseParser } from './http-load.ts';

/** Sends exactly `count` requests over the connections and waits for every answer. @throws when one is an error */
export async function sendAll(options: Omit<LoadOptions, 'durationMs'>, count: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from(
      { length: options.connections },
      () =>
        new Promise<void>((done, fail) => {
          const socket = connect(options.port, options.host);
          socket.setNoDelay(true);
          const parser = new ResponseParser();
          const send = (): void => {
            if (next < count) socket.write(options.request(next++));
            else socket.destroy();
          };
          socket.on('connect', send);
          socket.on('data', (chunk: Buffer) => {
            for (const status of parser.push(chunk)) {
              if (status >= 400) fail(new Error(`answered ${status}`));
              send();
            }
          });
          socket.on('error', fail);
          socket.on('close', () => done());
        }),
    ),
  );
}

import * as grpc from '@grpc/grpc-js';
import { GRPC_SERVER_OPTIONS } from '../grpc-transport.ts';

export interface Listening {
  readonly server: grpc.Server;
  readonly address: string;
  stop(): void;
}

/** A gRPC server on loopback; port 0 takes a free one. */
export async function listening(port = 0): Promise<Listening> {
  const server = new grpc.Server(GRPC_SERVER_OPTIONS);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), (error, at) => {
      if (error === null) resolve(at);
      else reject(error);
    });
  });
  return { server, address: `127.0.0.1:${bound}`, stop: () => server.forceShutdown() };
}

import * as grpc from '@grpc/grpc-js';
import { type Clock, LictorError } from '@lictor/protocol';
import type { GreetingTransport } from './discovery.ts';
import { decodeGreeting, encodeGreeting, MAX_GREETING_BYTES } from './greeting-codec.ts';
import type { Greeting } from './member-table.ts';

const same = (bytes: Buffer): Buffer => bytes;
const GREET: grpc.MethodDefinition<Buffer, Buffer> = {
  path: '/lictor.cluster.v1.Cluster/Greet',
  requestStream: false,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

/** Nobody is there; anything else is an answer. */
const SILENCE: ReadonlySet<grpc.status> = new Set([grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED, grpc.status.CANCELLED]);
const DEADLINE_MS = 2000;
/** Addresses that were greeted, and may not be servers any more. */
const MAX_CLIENTS = 128;
const CHANNEL_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MAX_GREETING_BYTES,
  'grpc.max_send_message_length': MAX_GREETING_BYTES,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.use_local_subchannel_pool': 1,
};

type GreetCall = grpc.ServerUnaryCall<Buffer, Buffer>;

/** Serves greetings on a server's RPC address. `refusal`: why a caller may not act as a server. */
export function addGreetingService(
  server: grpc.Server,
  answer: (greeting: Greeting) => Greeting,
  refusal: (call: GreetCall) => string | undefined = () => undefined,
): void {
  const greet = (call: GreetCall, done: grpc.sendUnaryData<Buffer>): void => {
    const refused = refusal(call);
    if (refused !== undefined) {
      done({ code: grpc.status.PERMISSION_DENIED, details: refused });
      return;
    }
    try {
      done(null, encodeGreeting(answer(decodeGreeting(call.request))));
    } catch (thrown) {
      const { code, message } = LictorError.from(thrown);
      done({ code: code === 'invalid-argument' ? grpc.status.INVALID_ARGUMENT : grpc.status.FAILED_PRECONDITION, details: message });
    }
  };
  server.addService({ greet: GREET }, { greet });
}

/** One channel an address, kept. */
export class GrpcGreetings implements GreetingTransport {
  readonly #clock: Clock;
  readonly #credentials: grpc.ChannelCredentials;
  readonly #clients = new Map<string, grpc.Client>();

  constructor(clock: Clock, credentials: grpc.ChannelCredentials) {
    this.#clock = clock;
    this.#credentials = credentials;
  }

  greet(address: string, greeting: Greeting): Promise<Greeting> {
    const deadline = this.#clock.now() + DEADLINE_MS;
    return new Promise((resolve, reject) => {
      this.#client(address).makeUnaryRequest(GREET.path, same, same, encodeGreeting(greeting), { deadline }, (error, bytes) => {
        try {
          if (error !== null)
            reject(new LictorError(SILENCE.has(error.code) ? 'unavailable' : 'rejected', error.details, { cause: error }));
          else resolve(decodeGreeting(bytes ?? Buffer.alloc(0)));
        } catch (thrown) {
          reject(LictorError.from(thrown));
        }
      });
    });
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(address: string): grpc.Client {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const [oldest] = this.#clients;
    if (oldest !== undefined && this.#clients.size >= MAX_CLIENTS) {
      oldest[1].close();
      this.#clients.delete(oldest[0]);
    }
    const client = new grpc.Client(address, this.#credentials, CHANNEL_OPTIONS);
    this.#clients.set(address, client);
    return client;
  }
}

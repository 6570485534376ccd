import { decode, LictorError, schema } from '@lictor/protocol';
import { type Greeting, MAX_MEMBERS } from './member-table.ts';

export const MAX_GREETING_BYTES = 256 * 1024;

const { boolean, integer, list, object, string } = schema;
const MAX_PORT = 65_535;
const member = object({
  id: string(),
  name: string(),
  datacenter: string(),
  rpcAddress: string(),
  bootstrapExpect: integer(0, 1000),
  isBootstrap: boolean(),
  version: string(),
  grpcPort: integer(0, MAX_PORT),
  grpcTlsPort: integer(0, MAX_PORT),
  clusterId: string(),
  incarnation: integer(0),
  hasLeft: boolean(),
});
const greeting = object({ from: member, known: list(member, MAX_MEMBERS), alive: list(string(), MAX_MEMBERS + 1) });

export function encodeGreeting(value: Greeting): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** @throws LictorError `invalid-argument` */
export function decodeGreeting(bytes: Uint8Array): Greeting {
  try {
    if (bytes.length > MAX_GREETING_BYTES) throw new Error('too large');
    const value = decode(greeting, JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    if ([value.from, ...value.known].some(({ id, name }) => id === '' || name === '')) throw new Error('a server without id or name');
    return value;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LictorError('invalid-argument', `not a greeting: ${why}`, { cause: thrown });
  }
}

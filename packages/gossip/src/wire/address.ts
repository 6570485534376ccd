import { malformed } from '../errors.ts';
import type { Address } from '../swim/message.ts';
import { MAX_ADDRESS_BYTES } from './limits.ts';
import type { Reader } from './reader.ts';

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$|:)|(?=:))){4}:(\d{1,5})$/;
const IPV6 = /^\[(?=[0-9a-f:.]*:[0-9a-f:.]*:)[0-9a-f:.]{2,45}\]:(\d{1,5})$/i;

/** `ip:port` with a port that can be sent to. */
export function isAddress(text: string): boolean {
  const port = Number((IPV4.exec(text) ?? IPV6.exec(text))?.[1]);
  return port > 0 && port < 65_536;
}

/** Never a name: what a peer says must not make this member ask a resolver. */
export function readAddress(reader: Reader): Address {
  const address = reader.text(MAX_ADDRESS_BYTES);
  if (!isAddress(address)) throw malformed('no address');
  return address;
}

import type { Random } from '@lictor/protocol';
import { Oid, write } from '../der/index.ts';

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
/** ub-common-name of RFC 5280. */
const MAX_COMMON_NAME = 64;
const UID_LENGTH = 8;

export const EMPTY_NAME = write.sequence();

export function commonName(name: string): write.DerValue {
  const value = PRINTABLE.test(name) ? write.printableString(name) : write.utf8String(name);
  return write.sequence(write.set(write.sequence(write.oid(Oid.commonName), value)));
}

/** `pri-<uid>.<provider>.ca.<first 8 of the cluster id>.consul` (consul-facts P011), at most 64 characters. */
export function caCommonName(provider: string, clusterId: string, random: Random): string {
  const uid = BigInt(`0x${Buffer.from(random.bytes(8)).toString('hex')}`)
    .toString(36)
    .slice(0, UID_LENGTH);
  const fixedLength = 'pri-.'.length + UID_LENGTH + '.ca.'.length + 8 + '.consul'.length;
  const shortProvider = provider
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, MAX_COMMON_NAME - fixedLength);
  return `pri-${uid}.${shortProvider}.ca.${clusterId.slice(0, 8)}.consul`;
}

/** `0a:1b:2c`, as Consul writes fingerprints, key ids and serial numbers. */
export function colonHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex').match(/../g)?.join(':') ?? '';
}

/** The bytes of colon-separated or plain hex; undefined when it is neither. */
export function parseColonHex(text: string): Buffer | undefined {
  const plain = text.replaceAll(':', '');
  if (plain.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(plain)) return undefined;
  return Buffer.from(plain, 'hex');
}

/** RFC 5280 4.2.1.3, in bit order. */
export const KEY_USAGES = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** What root and intermediate certificates may do (consul-facts P001). */
export const CA_KEY_USAGE: readonly KeyUsage[] = ['digitalSignature', 'keyCertSign', 'cRLSign'];
/** What leaves may do (consul-facts P004). */
export const LEAF_KEY_USAGE: readonly KeyUsage[] = ['digitalSignature', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'];

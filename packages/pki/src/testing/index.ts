export { MemoryCaStore } from './memory-store.ts';
export { caProviderContract, type ContractCase, type ProviderHarness } from './provider-contract.ts';
export { createTestCa, TEST_CLUSTER_ID, type TestCa, type TestCaOptions, type TestLeaf, type TestLeafOptions } from './test-ca.ts';
/** For `TestCa.craft`. */
export {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  keyUsageExtension,
  leafExtKeyUsageExtension,
  subjectAltNameExtension,
} from '../certificate/extensions-write.ts';
export { LEAF_KEY_USAGE } from '../certificate/key-usage.ts';
export { signerKeyId } from '../certificate/authority.ts';
export { hasOpenssl, openssl } from './openssl.ts';

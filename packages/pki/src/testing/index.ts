export { MemoryCaStore } from './memory-store.ts';
export { caProviderContract, type ContractCase, type ProviderHarness } from './provider-contract.ts';
export { createTestCa, TEST_CLUSTER_ID, type TestCa, type TestCaOptions, type TestLeaf, type TestLeafOptions } from './test-ca.ts';

export {
  buildCrossSigned,
  buildIntermediate,
  buildRoot,
  type CrossSignedOptions,
  type IntermediateOptions,
  type RootOptions,
  type Signer,
} from './authority.ts';
export { certificateFingerprint, formatSerial } from './fingerprint.ts';
export {
  type AgentCaOptions,
  buildAgentCa,
  buildHostCertificate,
  type ExtKeyUsage,
  type HostCertificateOptions,
} from './host.ts';
export type { KeyUsage } from './key-usage.ts';
export { buildLeaf, type LeafOptions } from './leaf.ts';
export { caCommonName } from './names.ts';
export { permittedDomainsOf, permitsDnsName } from './name-constraints.ts';
export { MAX_CERTIFICATE_BYTES, type ParsedCertificate, parseCertificate } from './parse.ts';
export type { SubjectAltNames } from './san.ts';

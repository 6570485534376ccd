export { AutoEncrypt, type AutoEncryptOptions, type AutoEncryptPorts, type EnrolledIdentity } from './auto-encrypt.ts';
export { enrollAddresses, type EnrollAddressesOptions } from './enroll-addresses.ts';

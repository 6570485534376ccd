export { createCsr, type CsrOptions } from './create.ts';
export { type CertificateRequest, MAX_CSR_BYTES, parseCsr } from './parse.ts';
export { type CsrAllowance, verifyCsr } from './verify.ts';
export { verifyIntermediateCsr } from './verify-intermediate.ts';

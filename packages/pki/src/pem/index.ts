export { decodeFirstPem, decodePem, encodePem, MAX_PEM_BLOCKS, MAX_PEM_BYTES, type PemBlock, splitPemBundle } from './pem.ts';

export { type DecodedSnapshot, decodeSnapshot, decodeSnapshotNow, SnapshotDecoder } from './decode.ts';
export { encodeSnapshot } from './encode.ts';
export { inSlices } from './slices.ts';

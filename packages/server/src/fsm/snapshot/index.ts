export { type DecodedSnapshot, decodeSnapshot, decodeSnapshotNow } from './decode.ts';
export { encodeSnapshot } from './encode.ts';
export { inSlices } from './slices.ts';

export { decodeFrame, encodeFrame } from './transport/codec.ts';

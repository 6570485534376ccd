export { type CanonicalPath, canonicalisePath } from './canonical-path.ts';
export {
  type CanonicalisationResult,
  type CanonicalRequest,
  canonicaliseRequest,
  type RawRequest,
} from './canonical-request.ts';

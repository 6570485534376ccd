export { TrustBundle, type TrustDomainRoots } from './trust-bundle.ts';
export { type PeerVerification, REFUSALS, type Refusal, type RefusedPeer, type VerifiedPeer, type VerifyPeerOptions } from './types.ts';
export { verifyPeer } from './verify-peer.ts';

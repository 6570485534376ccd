export { PeerRpcClient, type PeerRpcClientOptions } from './client.ts';
export { DEFAULT_PEER_RPC_LIMITS, ENROLL_LIMITS, type PeerRpcLimits } from './limits.ts';
export { RpcListener, type RpcListenerOptions } from './listener.ts';
export type { PeerRpcCall, PeerRpcHandler, PeerRpcPorts } from './ports.ts';
export { createPeerRpcService, type PeerRpcService, type PeerRpcServiceOptions } from './service.ts';
export { AGENT_CALLS, ENROLL_CALLS, ENROLL_PREFACE, type PeerRpcStream } from './protocol.ts';

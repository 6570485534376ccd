export { AgentTls, enrollTls } from './agent-tls.ts';
export { loadRpcTlsFiles, type RpcTlsFiles } from './load.ts';
export { type AuthenticatedCall, RpcTls } from './rpc-tls.ts';
export type { MeshTrust } from './mesh-caller.ts';
export { serverNameOf } from './server-name.ts';
export type { RpcTlsMaterial, RpcTlsOptions } from './types.ts';

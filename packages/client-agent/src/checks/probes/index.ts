export type { ProbeContext } from './context.ts';
export { createGrpcProbe } from './grpc.ts';
export { createH2PingProbe } from './h2ping.ts';
export { createHttpProbe } from './http.ts';
export { createOsServiceProbe } from './os-service.ts';
export { createScriptProbe } from './script.ts';
export { createTcpProbe } from './tcp.ts';
export { createUdpProbe } from './udp.ts';

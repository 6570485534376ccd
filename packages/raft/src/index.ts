export * from './core/index.ts';
export * from './driver/ports.ts';
export { GrpcTransport, type GrpcTransportOptions, type GrpcTransportPorts } from './transport/grpc-transport.ts';

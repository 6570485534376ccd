export { formatSpiffeId, sameSpiffeId, trustDomainOf } from './format.ts';
export { maybeParseSpiffeId, parseSpiffeId } from './parse.ts';
export {
  type AgentSpiffeId,
  DEFAULT_PARTITION,
  type MeshGatewaySpiffeId,
  type ServerSpiffeId,
  type ServiceSpiffeId,
  type SigningSpiffeId,
  type SpiffeId,
} from './types.ts';

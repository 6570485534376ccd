export { DEFAULTS, describeUpstream, type ProxyConfig, type PublicListenerConfig, type UpstreamConfig } from './config/types.ts';
export { parsePort, parseUpstreamFlag } from './config/upstream-flag.ts';
export { createAgentControlPlane } from './control-plane/agent-control-plane.ts';
export type {
  AuthorizeReply,
  ControlPlane,
  IntentionSet,
  ProxyRegistration,
  Read,
  Reading,
  SelfRegistration,
} from './control-plane/port.ts';
export { type AccessLog, type AccessRecord, jsonAccessLog } from './observe/access-log.ts';
export { createTextLogger, type TextLoggerOptions } from './observe/text-logger.ts';
export type { ConfigSource, ProxyOptions, ProxyPorts } from './options.ts';
export { createProxy, type Proxy } from './proxy.ts';

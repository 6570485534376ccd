import type { schema } from '@lictor/protocol';
import { rejected } from '../../problems.ts';
import { int, kept, nanoseconds, nullPointer, pointer, struct, text } from '../../shape/index.ts';
import { meshGateway } from './common.ts';

const passiveHealthCheck = struct({
  Interval: nanoseconds(),
  MaxFailures: int(),
  EnforcingConsecutive5xx: pointer(int()),
  MaxEjectionPercent: pointer(int()),
  BaseEjectionTime: pointer(nanoseconds()),
  // Consul 2.x (consul-facts V008).
  Consecutive5xx: pointer(int()),
  ConsecutiveGatewayFailure: pointer(int()),
  EnforcingConsecutiveGatewayFailure: pointer(int()),
});
export const upstreamLimits = struct({
  MaxConnections: pointer(int()),
  MaxPendingRequests: pointer(int()),
  MaxConcurrentRequests: pointer(int()),
});
export const passiveHealth = passiveHealthCheck;
/** Limits of an API gateway and of what its routes lead to (Consul 2.x, consul-facts V009): all shown, once any of them is given. */
export const gatewayLimits = struct({
  MaxConnections: nullPointer(int()),
  MaxPendingRequests: nullPointer(int()),
  MaxConcurrentRequests: nullPointer(int()),
  PassiveHealthCheck: pointer(passiveHealthCheck),
});
export type GatewayLimits = schema.Infer<typeof gatewayLimits>;

/** One entry of service-defaults.UpstreamConfig. */
export const upstreamConfig = struct({
  Name: text(),
  Peer: kept(text()),
  EnvoyListenerJSON: text(),
  EnvoyClusterJSON: text(),
  Protocol: text(),
  ConnectTimeoutMs: int(),
  Limits: pointer(upstreamLimits),
  PassiveHealthCheck: pointer(passiveHealthCheck),
  MeshGateway: meshGateway,
  BalanceOutboundConnections: text(),
});
export type UpstreamConfig = schema.Infer<typeof upstreamConfig>;
export type PassiveHealthCheck = schema.Infer<typeof passiveHealthCheck>;
export type UpstreamLimits = schema.Infer<typeof upstreamLimits>;

export function normaliseUpstreamConfig(config: UpstreamConfig): void {
  config.Protocol = config.Protocol.toLowerCase();
  if (config.ConnectTimeoutMs < 0) config.ConnectTimeoutMs = 0;
}

/** Problems of one override (`named`) or of the defaults. */
export function findUpstreamConfigProblems(config: UpstreamConfig, named: boolean): string[] {
  if (named && config.Name === '') return ['Name is required'];
  if (named && config.Name === '*') return ['Wildcard name is not supported'];
  if (!named && config.Name !== '') return ['Name must be empty'];
  const problems = [...findPassiveHealthProblems(config.PassiveHealthCheck), ...findLimitProblems(config.Limits)];
  if (config.BalanceOutboundConnections !== '' && config.BalanceOutboundConnections !== 'exact_balance') {
    problems.push(`invalid value for balance_outbound_connections: ${config.BalanceOutboundConnections}`);
  }
  return problems;
}

/** @throws LictorError rejected; `where` goes before the message */
export function validateGatewayLimits(limits: GatewayLimits | undefined, where: string): void {
  const [problem] = [...findPassiveHealthProblems(limits?.PassiveHealthCheck), ...findLimitProblems(limits)];
  if (problem !== undefined) throw rejected(`${where}${problem}`);
}

export function findPassiveHealthProblems(check: PassiveHealthCheck | undefined): string[] {
  if (check === undefined) return [];
  const percent = (name: string, value: number | undefined): string[] =>
    (value ?? 0) > 100 ? [`passive health check ${name} must be a percentage between 0 and 100`] : [];
  if (check.Interval < 0) return ['passive health check interval cannot be negative'];
  const first = [
    ...percent('enforcing_consecutive_5xx', check.EnforcingConsecutive5xx),
    ...percent('max_ejection_percent', check.MaxEjectionPercent),
    ...((check.BaseEjectionTime ?? 0) < 0 ? ['passive health check base_ejection_time cannot be negative'] : []),
  ];
  return first.slice(0, 1);
}

export function findLimitProblems(limits: UpstreamLimits | GatewayLimits | undefined): string[] {
  if (limits === undefined) return [];
  const problems = [
    ...((limits.MaxConnections ?? 0) < 0 ? ['max connections cannot be negative'] : []),
    ...((limits.MaxPendingRequests ?? 0) < 0 ? ['max pending requests cannot be negative'] : []),
    ...((limits.MaxConcurrentRequests ?? 0) < 0 ? ['max concurrent requests cannot be negative'] : []),
  ];
  return problems.slice(0, 1);
}

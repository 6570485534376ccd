import type { RuntimeConfig } from '@lictor/client-agent';
import type { NodeRole, RolePorts } from './role.ts';

/**
 * A client's process has nothing of a server in its memory, and the other way round.
 * @throws LictorError for TLS files that cannot be used
 */
export async function createNodeRole(config: RuntimeConfig, ports: RolePorts): Promise<NodeRole> {
  if (config.server || ports.lan === undefined) return (await import('./server-role.ts')).createServerRole(config, ports);
  return (await import('./client-role.ts')).createClientRole(config, ports.lan, ports);
}

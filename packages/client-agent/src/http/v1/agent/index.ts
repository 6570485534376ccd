import type { Route } from '../../routing/route.ts';
import { agentChecksRoutes } from './checks.ts';
import { agentConnectRoutes } from './connect.ts';
import { agentHealthRoutes } from './health.ts';
import { agentHostRoutes } from './host.ts';
import { agentLifecycleRoutes } from './lifecycle.ts';
import { agentMembersRoutes } from './members.ts';
import { agentMetricsRoutes } from './metrics.ts';
import { agentMonitorRoutes } from './monitor.ts';
import { agentSelfRoutes } from './self.ts';
import { agentServiceRoutes } from './service.ts';
import { agentServicesRoutes } from './services.ts';
import { agentTokenRoutes } from './token.ts';

/** /v1/agent: answered by this agent alone. */
export const agentRoutes: readonly Route[] = [
  ...agentSelfRoutes,
  ...agentHostRoutes,
  ...agentMembersRoutes,
  ...agentLifecycleRoutes,
  ...agentMetricsRoutes,
  ...agentMonitorRoutes,
  ...agentTokenRoutes,
  ...agentServicesRoutes,
  ...agentServiceRoutes,
  ...agentHealthRoutes,
  ...agentChecksRoutes,
  ...agentConnectRoutes,
];

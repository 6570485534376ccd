import type { Route } from '../routing/route.ts';
import { agentRoutes } from './agent/index.ts';
import { catalogRoutes } from './catalog.ts';
import { configRoutes } from './config.ts';
import { connectCaRoutes } from './connect/ca.ts';
import { explainRoutes } from './connect/explain.ts';
import { intentionRoutes } from './connect/intentions.ts';
import { coordinateRoutes } from './coordinate.ts';
import { eventRoutes } from './event.ts';
import { healthRoutes } from './health.ts';
import { kvRoutes } from './kv.ts';
import { gatewayServicesRoutes } from './gateway-services.ts';
import { operatorRoutes } from './operator.ts';
import { operatorAutopilotRoutes } from './operator-autopilot.ts';
import { operatorKeyringRoutes } from './operator-keyring.ts';
import { operatorRaftRoutes } from './operator-raft.ts';
import { preparedQueryRoutes } from './prepared-query.ts';
import { serviceVirtualIpRoutes } from './service-virtual-ip.ts';
import { sessionRoutes } from './session.ts';
import { snapshotRoutes } from './snapshot.ts';
import { statusRoutes } from './status.ts';
import { txnRoutes } from './txn.ts';

/** The whole of /v1. */
export const apiRoutes: readonly Route[] = [
  ...agentRoutes,
  ...catalogRoutes,
  ...gatewayServicesRoutes,
  ...configRoutes,
  ...connectCaRoutes,
  ...intentionRoutes,
  ...explainRoutes,
  ...coordinateRoutes,
  ...eventRoutes,
  ...healthRoutes,
  ...kvRoutes,
  ...operatorRoutes,
  ...operatorAutopilotRoutes,
  ...operatorKeyringRoutes,
  ...operatorRaftRoutes,
  ...preparedQueryRoutes,
  ...serviceVirtualIpRoutes,
  ...sessionRoutes,
  ...snapshotRoutes,
  ...statusRoutes,
  ...txnRoutes,
];

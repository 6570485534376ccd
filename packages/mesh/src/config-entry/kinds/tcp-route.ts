import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { commonFields, kept, listOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { validateMeta } from './meta.ts';
import { normaliseParents, resourceReference, status, validateParents } from './resource-reference.ts';
import { gatewayServiceTls } from './tls-parameters.ts';
import { gatewayLimits, validateGatewayLimits } from './upstream-config.ts';

const shape = struct({
  ...commonFields,
  Parents: kept(listOf(resourceReference)),
  // TLS and limits: Consul 2.x (consul-facts V009).
  Services: kept(listOf(struct({ Name: kept(text()), TLS: pointer(gatewayServiceTls), Limits: pointer(gatewayLimits) }))),
  Status: status,
});
export type TcpRoute = schema.Infer<typeof shape>;

export const tcpRoute = defineKind<TcpRoute>({
  kind: 'tcp-route',
  shape,
  normalise: (entry) => {
    entry.Status = { Conditions: [] };
    normaliseParents(entry.Parents);
  },
  validate: (entry) => {
    if (entry.Services.length > 1) throw rejected('tcp-route currently only supports one service');
    for (const service of entry.Services) validateGatewayLimits(service.Limits, `Services[${quote(service.Name)}].Limits: `);
    validateParents(entry.Parents);
    validateMeta(entry.Meta);
  },
});

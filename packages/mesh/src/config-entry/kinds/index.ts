import type { KindDefinition } from '../kind.ts';
import { apiGateway } from './api-gateway.ts';
import { boundApiGateway } from './bound-api-gateway.ts';
import { fileSystemCertificate, inlineCertificate } from './certificates.ts';
import { exportedServices } from './exported-services.ts';
import { httpRoute } from './http-route.ts';
import { ingressGateway } from './ingress-gateway.ts';
import { jwtProvider } from './jwt-provider.ts';
import { mesh } from './mesh.ts';
import { proxyDefaults } from './proxy-defaults.ts';
import { serviceDefaults } from './service-defaults.ts';
import { serviceIntentions } from './service-intentions.ts';
import { serviceResolver } from './service-resolver.ts';
import { serviceRouter } from './service-router.ts';
import { serviceSplitter } from './service-splitter.ts';
import { tcpRoute } from './tcp-route.ts';
import { terminatingGateway } from './terminating-gateway.ts';

export const KINDS: ReadonlyMap<string, KindDefinition> = new Map(
  [
    serviceDefaults,
    proxyDefaults,
    serviceRouter,
    serviceSplitter,
    serviceResolver,
    serviceIntentions,
    mesh,
    ingressGateway,
    terminatingGateway,
    exportedServices,
    apiGateway,
    boundApiGateway,
    httpRoute,
    tcpRoute,
    inlineCertificate,
    fileSystemCertificate,
    jwtProvider,
  ].map((definition) => [definition.kind, definition]),
);

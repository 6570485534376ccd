import type { ApiDeps, BuildInfo } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { acl, type Route } from '../../routing/route.ts';
import { debugConfigJson } from '../../views/debug-config.ts';

/** Who this agent is (consul-facts H038, H040). */
export const agentSelfRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/agent/self', acl: acl.agent('read'), handle: self },
  { method: 'GET', path: '/v1/agent/version', acl: acl.none, handle: version },
];

function self(request: ApiRequest, deps: ApiDeps): Reply {
  const { config } = request;
  const { build } = deps;
  const body = {
    Config: {
      Datacenter: config.datacenter,
      PrimaryDatacenter: config.primaryDatacenter,
      NodeName: config.nodeName,
      NodeID: config.nodeId,
      Revision: build.revision,
      Server: config.server,
      Version: build.version,
      BuildDate: build.buildDate,
    },
    DebugConfig: debugConfigJson(config, build),
    Coord: config.gossip.hasCoordinates ? deps.membership.coordinate() : null,
    Member: deps.membership.members(false).find((member) => member.Name === config.nodeName) ?? null,
    Stats: { build: buildStats(build), ...deps.stats() },
    Meta: { ...config.nodeMeta, 'consul-network-segment': '', 'consul-version': build.version },
    xDS: xdsJson(config.ports.grpc, config.ports.grpcTls),
  };
  return jsonReply(encodeJson(body, request.indent));
}

function buildStats({ prerelease, revision, version }: BuildInfo): Readonly<Record<string, string>> {
  return { prerelease, revision, version, version_metadata: '' };
}

/** The TLS port first, as clients that know only `Port` expect. Which proxies are driven stands here as soon as one is. */
function xdsJson(plaintext: number, tls: number): object {
  return { SupportedProxies: { envoy: [] }, Port: tls > 0 ? tls : plaintext, Ports: { Plaintext: plaintext, TLS: tls } };
}

function version(request: ApiRequest, { build }: ApiDeps): Reply {
  const human = build.prerelease === '' ? build.version : `${build.version}-${build.prerelease}`;
  return jsonReply(encodeJson({ SHA: build.revision, BuildDate: build.buildDate, HumanVersion: human, FIPS: '' }, request.indent));
}

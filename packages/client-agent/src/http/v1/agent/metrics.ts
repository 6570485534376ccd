import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { JSON_TYPE, jsonReply, type Reply, streamReply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { acl, type Route } from '../../routing/route.ts';
import { aborted } from './streaming.ts';

/** /v1/agent/metrics (consul-facts H047-H048). */
export const agentMetricsRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/agent/metrics', acl: acl.agent('read'), handle: metrics },
  { method: 'GET', path: '/v1/agent/metrics/stream', acl: acl.agent('read'), handle: stream, streams: true },
];

function metrics(request: ApiRequest, deps: ApiDeps): Reply {
  if (!wantsPrometheus(request)) return jsonReply(encodeJson(deps.metricsView.json(), request.indent));
  if (request.config.telemetry.prometheusRetentionMs <= 0) {
    const reason = 'Prometheus is not enabled since its retention time is not positive';
    return { status: 200, contentType: JSON_TYPE, headers: ['X-Consul-Reason', reason], body: '' };
  }
  return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', headers: [], body: deps.metricsView.prometheus() };
}

function wantsPrometheus(request: ApiRequest): boolean {
  if (request.query.get('format') === 'prometheus') return true;
  return request
    .header('accept')
    .split(',')
    .some((part) => {
      const [type = '', parameter = ''] = part.split(';').map((piece) => piece.trim().toLowerCase());
      return type === 'application/openmetrics-text' || (type === 'text/plain' && parameter === 'version=0.4.0');
    });
}

function stream(_request: ApiRequest, deps: ApiDeps): Reply {
  return streamReply(JSON_TYPE, async (sink) => {
    const unsubscribe = deps.metricsView.onInterval((interval) => sink.write(`${encodeJson(interval, true)}\n`));
    await aborted(sink.signal);
    unsubscribe();
  });
}

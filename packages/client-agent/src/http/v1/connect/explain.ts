import { evaluateIntention } from '@lictor/mesh';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { readCall } from '../../request/read-options.ts';
import { acl, type Route } from '../../routing/route.ts';
import { defaultPolicy } from '../agent/authorize.ts';
import { sourceAndDestination } from './intention-names.ts';

/** GET /v1/connect/intentions/explain (ours): the whole decision on source → destination, with the rule that made it. */
export const explainRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/connect/intentions/explain', acl: acl.server('intention', 'read'), handle: explain },
];

async function explain(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  const options = readCall(request);
  refuseNamespace(request);
  const { source, destination } = sourceAndDestination(request, { notEmpty: true, peers: true });
  const { value } = await deps.server.call('Intention.Match', { by: 'destination', names: [destination.name] }, options);
  const decision = evaluateIntention({
    source: source.peer === '' ? { name: source.name } : { name: source.name, peer: source.peer },
    destination: destination.name,
    intentions: value[0] ?? [],
    ...defaultPolicy(request.config),
  });
  return jsonReply(encodeJson(decision, request.indent));
}

import { LOG_LEVELS, type LogLevel } from '@lictor/protocol';
import type { ApiDeps } from '../../deps.ts';
import { JSON_TYPE, type Reply, streamReply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { badRequest } from '../../request/read-options.ts';
import { acl, type Route } from '../../routing/route.ts';
import { aborted } from './streaming.ts';

/** GET /v1/agent/monitor (consul-facts H049): log lines until the client goes. */
export const agentMonitorRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/agent/monitor', acl: acl.agent('read'), handle: monitor, streams: true },
];

function monitor(request: ApiRequest, deps: ApiDeps): Reply {
  const level = parseLevel(request.query.get('loglevel'));
  const json = request.query.has('logjson');
  return streamReply(JSON_TYPE, async (sink) => {
    const unsubscribe = deps.logs.subscribe({ level, json }, (line) => sink.write(line.endsWith('\n') ? line : `${line}\n`));
    await aborted(sink.signal);
    unsubscribe();
  });
}

function parseLevel(text: string): LogLevel {
  if (text === '') return 'info';
  const lower = text.toLowerCase();
  const level = lower === 'err' ? 'error' : LOG_LEVELS.find((known) => known === lower);
  if (level === undefined) throw badRequest(`Unknown log level: ${text}`);
  return level;
}

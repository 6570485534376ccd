import { Session } from 'node:inspector/promises';
import { LictorError, sleep } from '@lictor/protocol';
import type { ApiDeps } from '../deps.ts';
import { absentReply, type Reply } from '../reply/reply.ts';
import type { ApiRequest } from '../request/api-request.ts';
import { badRequest } from '../request/read-options.ts';
import { acl, type Handler, type Route } from '../routing/route.ts';

/**
 * /debug/pprof (consul-facts H162): where Consul gives Go profiles, these are V8's own (`.cpuprofile`, `.heapprofile` and Node's report),
 * which Chromium's developer tools open. Only with `enable_debug`, or for tokens with operator:read.
 */
export const pprofRoutes: readonly Route[] = [
  { method: 'GET', path: '/debug/pprof/heap', acl: acl.operator('read'), handle: guarded(heap) },
  {
    method: 'GET',
    path: '/debug/pprof/profile',
    acl: acl.operator('read'),
    handle: guarded((request, deps) => profile(request, deps, 30)),
  },
  { method: 'GET', path: '/debug/pprof/trace', acl: acl.operator('read'), handle: guarded((request, deps) => profile(request, deps, 1)) },
  { method: 'GET', path: '/debug/pprof/goroutine', acl: acl.operator('read'), handle: guarded(report) },
];

const MAX_SECONDS = 300;
let isProfiling = false;

function guarded(handle: Handler): Handler {
  return (request, deps) => (request.config.enableDebug || request.config.aclEnabled ? handle(request, deps) : absentReply());
}

function heap(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  return withSession(async (session) => {
    await session.post('HeapProfiler.startSampling', { samplingInterval: 32_768 });
    await sleep(deps.clock, seconds(request, 1) * 1_000, request.signal);
    const { profile: taken } = await session.post('HeapProfiler.stopSampling');
    return attachment('heap.heapprofile', taken);
  });
}

function profile(request: ApiRequest, deps: ApiDeps, defaultSeconds: number): Promise<Reply> {
  return withSession(async (session) => {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(deps.clock, seconds(request, defaultSeconds) * 1_000, request.signal);
    const { profile: taken } = await session.post('Profiler.stop');
    return attachment('profile.cpuprofile', taken);
  });
}

/** What the process is doing now: stack, handles, memory. Never its environment, which may hold credentials. */
function report(): Reply {
  // Names of network peers would be looked up, and the loop held meanwhile.
  Object.assign(process.report, { excludeNetwork: true });
  const { environmentVariables: _environment, header, ...rest } = process.report.getReport() as unknown as Record<string, unknown>;
  const { commandLine: _commandLine, ...shownHeader } = (header ?? {}) as Record<string, unknown>;
  return attachment('report.json', { header: shownHeader, ...rest });
}

function seconds(request: ApiRequest, byDefault: number): number {
  const text = request.query.get('seconds');
  if (text === '') return byDefault;
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > MAX_SECONDS) throw badRequest('Invalid seconds');
  return value;
}

/** One profile at a time: two would disturb each other. */
async function withSession(use: (session: Session) => Promise<Reply>): Promise<Reply> {
  if (isProfiling) throw new LictorError('rejected', 'Could not enable CPU profiling: cpu profiling already in use');
  isProfiling = true;
  const session = new Session();
  try {
    session.connect();
    return await use(session);
  } finally {
    session.disconnect();
    isProfiling = false;
  }
}

function attachment(fileName: string, content: unknown): Reply {
  const headers = ['Content-Disposition', `attachment; filename="${fileName}"`];
  return { status: 200, contentType: 'application/octet-stream', headers, body: JSON.stringify(content) };
}

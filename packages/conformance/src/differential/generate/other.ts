import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';

/** Query parameters, paths and methods that any endpoint can be asked with. */
export function otherStep(choose: Chooser): Step {
  const path = choose.pick([
    '/v1/catalog/nodes',
    '/v1/catalog/services',
    '/v1/kv/a',
    '/v1/health/service/web',
    '/v1/session/list',
    '/v1/connect/intentions',
    '/v1/connect/ca/roots',
  ]);
  const parameters = choose.pick([
    'index=x',
    'index=-5',
    'index=0',
    'index=1',
    'wait=x',
    'wait=5',
    'index=1&wait=x',
    'stale&consistent',
    'dc=',
    'dc=nope',
    'pretty',
    'pretty=false',
    'stale&max_stale=x',
    'stale&max_stale=10s',
    'consistent=false',
    'near=_agent',
    'unknown=parameter',
    'a;b',
    '%zz',
  ]);
  const isMethod = choose.chance(20);
  const method = isMethod ? choose.pick(['POST', 'PATCH', 'OPTIONS', 'HEAD', 'DELETE']) : 'GET';
  // Lictor's index of a service that there never was is 1, Consul's is that of the table: it would wait.
  const isWait = /index=[15]/.test(parameters) && path.startsWith('/v1/health/');
  // A session list and a service's tags have no order of their own; deleting what a path names would be another group's step.
  return {
    group: 'other',
    method: method === 'DELETE' && path.startsWith('/v1/kv') ? 'GET' : method,
    path: `${path}?${isWait ? 'pretty' : parameters}`,
    unordered: path === '/v1/session/list' || path === '/v1/catalog/services',
    settled: true,
  };
}

import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { AGENT_SELECTORS, filter } from './filters.ts';
import { AGENT_SERVICES, CHECK_STATUSES } from './pools.ts';

/** The agent's own services and checks: definitions, TTL reports, maintenance, aggregated health. */
export function agentStep(choose: Chooser): Step {
  const name = choose.pick([...AGENT_SERVICES, 'none'] as const);
  const put = (path: string, body?: unknown): Step => ({
    group: 'agent',
    method: 'PUT',
    path: `/v1/agent/${path}`,
    ...(body === undefined ? {} : { body }),
  });
  const read = (path: string): Step => ({ group: 'agent', method: 'GET', path: `/v1/agent/${path}` });
  return choose.pick<() => Step>([
    () => put('service/register', definition(choose)),
    () => put('service/register', definition(choose)),
    () => put(`service/register${choose.pick(['', '?replace-existing-checks'])}`, definition(choose)),
    () => put('service/register', wrongDefinition(choose)),
    () => put('check/register', check(choose)),
    () => put('check/register', wrongCheck(choose)),
    () => put(`check/${choose.pick(['pass', 'warn', 'fail'])}/${checkId(choose)}${choose.pick(['', '?note=hello'])}`),
    () => put(`check/update/${checkId(choose)}`, { Status: choose.pick([...CHECK_STATUSES, 'odd', ''] as const), Output: 'said' }),
    () => put(`service/maintenance/${name}?enable=${choose.pick(['true', 'false'])}${choose.pick(['', '&reason=why'])}`),
    () => put(`service/deregister/${name}`),
    () => put(`check/deregister/${checkId(choose)}`),
    () => read('services'),
    () => read(`services?filter=${filter(choose, AGENT_SELECTORS)}`),
    () => read(`service/${choose.pick([name, `${name}-sidecar-proxy`])}`),
    () => read('checks'),
    () => ({
      ...read(`health/service/${choose.pick(['id', 'name'])}/${name}${choose.pick(['', '?format=text', '?format=json'])}`),
      unordered: true,
    }),
    () => ({
      ...read(choose.pick(['services', 'checks'])),
      path: `/v1/${choose.pick(['catalog/node/obs', 'health/node/obs', `health/service/${name}`, `health/connect/${name}`])}`,
      settled: true,
    }),
  ])();
}

function checkId(choose: Chooser): string {
  return choose.pick(['ttl', 'ttl2', `service:${choose.pick(AGENT_SERVICES)}`, 'none']);
}

function definition(choose: Chooser): unknown {
  const name = choose.pick(AGENT_SERVICES);
  return {
    Name: name,
    ...choose.maybe(30, () => ({ ID: name === 'back' ? name : choose.pick([name, `${name}-2`]) })),
    ...choose.maybe(70, () => ({ Port: choose.pick([7000, 7001]) })),
    ...choose.maybe(40, () => ({ Tags: choose.some(['v1', 'v2', 'v1']) })),
    ...choose.maybe(30, () => ({ Meta: { env: choose.pick(['prod', 'test']) } })),
    ...choose.maybe(20, () => ({ Address: '127.0.0.9' })),
    ...choose.maybe(20, () => ({ Weights: { Passing: choose.integer(1, 9), Warning: 1 } })),
    ...choose.maybe(10, () => ({ EnableTagOverride: choose.chance(50) })),
    ...choose.maybe(10, () => ({ TaggedAddresses: { lan: { Address: '127.0.0.9', Port: 1 } } })),
    ...choose.maybe(30, () => ({
      Check: {
        TTL: '1h',
        ...choose.maybe(50, () => ({ Status: choose.pick(CHECK_STATUSES) })),
        ...choose.maybe(20, () => ({ Notes: 'n' })),
      },
    })),
    ...choose.maybe(10, () => ({
      Checks: [
        { TTL: '1h', Name: 'one' },
        { TTL: '2h', CheckID: 'ttl2', Name: 'two' },
      ],
    })),
    // Always one service: 1.8.7 forgets to take a sidecar away when its owner no longer asks for it.
    ...(name === 'back' ? { Connect: { SidecarService: sidecar(choose) } } : {}),
  };
}

function sidecar(choose: Chooser): object {
  return {
    ...choose.maybe(60, () => ({ Port: choose.pick([21_100, 21_101]) })),
    ...choose.maybe(40, () => ({
      Proxy: { Upstreams: [{ DestinationName: 'back', LocalBindPort: 9191 }], ...choose.maybe(50, () => ({ Config: { a: 1 } })) },
    })),
    // Those that it would get without are run, and change in their own time.
    Checks: [{ Name: 'by hand', TTL: '1h' }],
    ...choose.maybe(20, () => ({ Tags: ['side'] })),
  };
}

function wrongDefinition(choose: Chooser): unknown {
  return choose.pick<unknown>([
    '',
    '{',
    'null',
    '[]',
    {},
    { Port: 1 },
    { Name: '' },
    { Name: 'x', Port: 'http' },
    { Name: 'x', Tags: 'v1' },
    { Name: 'x', Address: '0.0.0.0' },
    { Name: 'x', Check: { Interval: '1s' } },
    { Name: 'x', Check: { TTL: 'soon' } },
    { Name: 'x', Check: { HTTP: 'http://127.0.0.1:1' } },
    { Name: 'x', Check: { TTL: '1s', Interval: '1s' } },
    { Name: 'x', Check: { TTL: '1s', Status: 'odd' } },
    { Name: 'x', Check: { Args: ['true'], Interval: '1s' } },
    { Name: 'x', Kind: 'connect-proxy' },
    { Name: 'x', Kind: 'connect-proxy', Proxy: { DestinationServiceName: '' }, Port: 1 },
    { Name: 'x', Kind: 'connect-proxy', Proxy: { DestinationServiceName: 'y', Upstreams: [{ DestinationName: 'z' }] }, Port: 1 },
    { Name: 'x', Kind: 'connect-proxy', Proxy: { DestinationServiceName: 'y' }, Port: 1, Connect: { Native: true } },
    { Name: 'x', Weights: { Passing: -1, Warning: 0 } },
    { Name: 'x', Meta: { 'k k': 'v' } },
    { Name: 'x', Meta: { k: 'v'.repeat(513) } },
    { Name: 'x', Nope: true },
  ]);
}

function check(choose: Chooser): unknown {
  return {
    Name: choose.pick(['ttl', 'a check']),
    ID: choose.pick(['ttl', 'ttl2']),
    TTL: '1h',
    ...choose.maybe(30, () => ({ ServiceID: choose.pick([...AGENT_SERVICES, 'none'] as const) })),
    ...choose.maybe(40, () => ({ Status: choose.pick(CHECK_STATUSES) })),
    ...choose.maybe(30, () => ({ Notes: 'note' })),
    ...choose.maybe(10, () => ({ DeregisterCriticalServiceAfter: '72h' })),
  };
}

function wrongCheck(choose: Chooser): unknown {
  return choose.pick<unknown>([
    '{',
    '[]',
    {},
    { Name: 'x' },
    { TTL: '1s' },
    { Name: 'x', TTL: 'abc' },
    { Name: 'x', TTL: '1s', Status: 'odd' },
    { Name: 'x', HTTP: 'http://127.0.0.1:1' },
    { Name: 'x', HTTP: 'http://127.0.0.1:1', Interval: '-1s' },
    { Name: 'x', TCP: '127.0.0.1:1' },
    { Name: 'x', Interval: '1s' },
    { Name: 'x', Script: 'true', Interval: '1s' },
    { Name: 'x', Args: ['true'], Interval: '1s' },
    { Name: 'x', TTL: '1s', DeregisterCriticalServiceAfter: 'never' },
  ]);
}

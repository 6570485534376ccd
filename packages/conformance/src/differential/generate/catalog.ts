import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { CATALOG_SELECTORS, CHECK_SELECTORS, filter, HEALTH_SELECTORS, NODE_SELECTORS } from './filters.ts';
import { CHECK_STATUSES, NODES, SERVICES } from './pools.ts';

/** Registrations of other nodes than the agent's, whose rows anti-entropy would take away again. */
export function catalogWriteStep(choose: Chooser): Step {
  const body = choose.chance(15) ? wrongRegistration(choose) : registration(choose);
  if (choose.chance(75)) return { group: 'catalog', method: 'PUT', path: '/v1/catalog/register', body };
  const deregistration = choose.pick<unknown>([
    { Node: choose.pick(NODES) },
    { Node: choose.pick(NODES), ServiceID: `${choose.pick(SERVICES)}-1` },
    { Node: choose.pick(NODES), CheckID: choose.pick(['c1', 'c2']) },
    { Node: 'none' },
    { Node: choose.pick(NODES), Datacenter: 'nope' },
    {},
    '{',
    { ServiceID: 'x' },
  ]);
  return { group: 'catalog', method: 'PUT', path: '/v1/catalog/deregister', body: deregistration };
}

export function catalogReadStep(choose: Chooser): Step {
  const service = choose.pick([...SERVICES, 'none'] as const);
  const node = choose.pick([...NODES, 'obs', 'none'] as const);
  const read = (path: string): Step => ({ group: 'catalog', method: 'GET', path: `/v1/${path}`, settled: true });
  const common = choose.pick(['', '', '&stale', '&consistent', '&near=n1', '&node-meta=rack:r1', '&dc=dc1', '&pretty']);
  return choose.pick<() => Step>([
    () => read(`catalog/nodes?filter=${filter(choose, NODE_SELECTORS)}${common}`),
    () => read(`catalog/nodes?x${common}`),
    // Tags come in the order of a Go map.
    () => ({
      ...read(`catalog/services?x${choose.pick(['', '&node-meta=rack:r1', '&node-meta=rack:r1&node-meta=a:b'])}`),
      unordered: true,
    }),
    () => read(`catalog/service/${service}?x${common}`),
    () => read(`catalog/service/${service}?tag=${choose.pick(['v1', 'v2', 'V1', ''])}${choose.pick(['', '&tag=v2'])}`),
    () => read(`catalog/service/${service}?filter=${filter(choose, CATALOG_SELECTORS)}`),
    () => read(`catalog/connect/${service}?x${common}`),
    () => read(`catalog/node/${node}`),
    () => read(`catalog/node-services/${node}${choose.pick(['', '', '?filter=Port==80'])}`),
    () => read(`health/node/${node}?filter=${filter(choose, CHECK_SELECTORS)}`),
    () => read(`health/node/${node}`),
    () => read(`health/checks/${service}?x${common}`),
    () => read(`health/checks/${service}?filter=${filter(choose, CHECK_SELECTORS)}`),
    () => read(`health/state/${choose.pick([...CHECK_STATUSES, 'any', 'unknown'] as const)}?x${common}`),
    // Instances that pass come in any order.
    () => ({
      ...read(
        `health/service/${service}?${choose.pick(['x', 'passing', 'passing=1', 'tag=v1', 'tag=v1&passing', 'passing=maybe'])}${common}`,
      ),
      unordered: true,
    }),
    () => read(`health/service/${service}?filter=${filter(choose, HEALTH_SELECTORS)}`),
    () => read(`health/connect/${service}?x${common}`),
  ])();
}

function registration(choose: Chooser): unknown {
  const node = choose.pick(NODES);
  return {
    Node: node,
    Address: `10.0.0.${node.slice(1)}`,
    ...choose.maybe(30, () => ({ NodeMeta: { rack: choose.pick(['r1', 'r2']) } })),
    ...choose.maybe(20, () => ({ TaggedAddresses: { lan: `10.0.0.${node.slice(1)}`, wan: '1.2.3.4' } })),
    ...choose.maybe(10, () => ({ SkipNodeUpdate: true })),
    ...choose.maybe(75, () => ({ Service: service(choose) })),
    ...choose.maybe(40, () => ({ Check: check(choose) })),
    ...choose.maybe(15, () => ({ Checks: [check(choose), { ...check(choose), CheckID: 'c3' }] })),
  };
}

function service(choose: Chooser): object {
  const name = choose.pick(SERVICES);
  if (choose.chance(20)) {
    const proxy = {
      DestinationServiceName: name,
      ...choose.maybe(40, () => ({ Upstreams: [{ DestinationName: 'db', LocalBindPort: 9191 }] })),
    };
    return { ID: `${name}-proxy`, Service: `${name}-proxy`, Kind: 'connect-proxy', Port: 20_000, Proxy: proxy };
  }
  return {
    ID: choose.pick([`${name}-1`, `${name}-1`, `${name}-2`]),
    Service: name,
    ...choose.maybe(60, () => ({ Port: choose.pick([80, 81]) })),
    ...choose.maybe(50, () => ({ Tags: choose.some(['v1', 'v2']) })),
    ...choose.maybe(30, () => ({ Meta: { env: choose.pick(['prod', 'test']) } })),
    ...choose.maybe(20, () => ({ Address: '10.7.7.7' })),
    ...choose.maybe(20, () => ({ Weights: { Passing: choose.integer(1, 5), Warning: choose.integer(0, 2) } })),
    ...choose.maybe(10, () => ({ EnableTagOverride: true })),
    ...choose.maybe(10, () => ({ TaggedAddresses: { wan: { Address: '9.9.9.9', Port: 90 } } })),
    ...choose.maybe(10, () => ({ Port: 82, Connect: { Native: true } })),
  };
}

function check(choose: Chooser): object {
  return {
    CheckID: choose.pick(['c1', 'c2']),
    Name: choose.pick(['check one', 'other']),
    ...choose.maybe(80, () => ({ Status: choose.pick(CHECK_STATUSES) })),
    ...choose.maybe(40, () => ({ Output: 'out' })),
    ...choose.maybe(20, () => ({ Notes: 'n' })),
    ...choose.maybe(50, () => ({ ServiceID: `${choose.pick(SERVICES)}-1` })),
  };
}

function wrongRegistration(choose: Chooser): unknown {
  return choose.pick<unknown>([
    '{',
    'null',
    '[]',
    {},
    { Node: 'n1' },
    { Address: '10.0.0.1' },
    { Node: 'n1', Address: '10.0.0.1', Datacenter: 'nope' },
    { Node: 'n1', Address: '10.0.0.1', Service: { Port: 1 } },
    { Node: 'n1', Address: '10.0.0.1', Service: { ID: 'x' } },
    { Node: 'n1', Address: '10.0.0.1', Service: { Service: 'x', Kind: 'connect-proxy', Port: 1 } },
    { Node: 'n1', Address: '10.0.0.1', Service: { Service: 'x', Port: 'many' } },
    { Node: 'n1', Address: '10.0.0.1', Check: { CheckID: 'c9', Name: 'x', ServiceID: 'none', Status: 'passing' } },
    { Node: 'n1', Address: '10.0.0.1', Check: { CheckID: 'c9', Name: 'x', Node: 'n2', Status: 'passing' } },
    { Node: 'n1', Address: '10.0.0.1', ID: 'not-a-uuid' },
    { Node: 1, Address: '10.0.0.1' },
  ]);
}

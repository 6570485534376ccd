import type { Step } from '../step.ts';
import type { Chooser } from './chooser.ts';
import { SERVICES } from './pools.ts';

const KINDS = [
  'service-defaults',
  'proxy-defaults',
  'service-resolver',
  'service-splitter',
  'service-router',
  'terminating-gateway',
] as const;

/** Config entries of the kinds that 1.8.7 has; no ingress gateways, whose protocols Lictor does not compare across entries yet. */
export function configStep(choose: Chooser): Step {
  const kind = choose.pick(KINDS);
  // A gateway's name is not a service's.
  const name = kind === 'proxy-defaults' ? 'global' : kind === 'terminating-gateway' ? 'tgw' : choose.pick(SERVICES);
  const at = (method: string, path: string, body?: unknown): Step => ({
    group: 'config',
    method,
    path: `/v1/config${path}`,
    ...(body === undefined ? {} : { body }),
  });
  return choose.pick<() => Step>([
    () => at('PUT', '', entry(choose, kind, name)),
    () => at('PUT', '', entry(choose, kind, name)),
    () => at('PUT', `?cas=${choose.pick(['0', '1', '{{configIndex}}', 'x'])}`, entry(choose, kind, name)),
    () => at('PUT', '', wrong(choose)),
    () => at('GET', `/${kind}`),
    () => ({ ...at('GET', `/${kind}/${name}`), save: { configIndex: 'ModifyIndex' } }),
    () => at('GET', choose.pick([`/${kind}/none`, '/bogus', '/bogus/x'])),
    () => at('DELETE', `/${kind}/${kind === 'proxy-defaults' ? name : choose.pick([name, name, 'none'])}`),
  ])();
}

function entry(choose: Chooser, kind: (typeof KINDS)[number], name: string): unknown {
  const base = { Kind: kind, Name: name };
  switch (kind) {
    case 'service-defaults':
      return {
        ...base,
        Protocol: choose.pick(['http', 'tcp', 'http', 'grpc']),
        ...choose.maybe(20, () => ({ MeshGateway: { Mode: 'local' } })),
      };
    case 'proxy-defaults':
      return { ...base, Config: { ...choose.maybe(40, () => ({ protocol: 'http' })), x: choose.integer(1, 3) } };
    case 'service-resolver':
      return {
        ...base,
        ...choose.maybe(50, () => ({ DefaultSubset: 'v1' })),
        ...choose.maybe(60, () => ({ Subsets: { v1: { Filter: 'Service.Meta.version == v1' }, v2: { OnlyPassing: true } } })),
        ...choose.maybe(20, () => ({ ConnectTimeout: '15s' })),
        ...choose.maybe(15, () => ({ Redirect: { Service: choose.pick(SERVICES) } })),
      };
    case 'service-splitter':
      return { ...base, Splits: choose.pick([[{ Weight: 100 }], [{ Weight: 60 }, { Weight: 40, Service: 'db' }], [{ Weight: 50 }], []]) };
    case 'service-router':
      return {
        ...base,
        Routes: choose.pick([
          [],
          [{ Match: { HTTP: { PathPrefix: '/x' } }, Destination: { Service: 'db' } }],
          [{ Match: { HTTP: { PathPrefix: 'x' } } }],
        ]),
      };
    case 'terminating-gateway':
      return {
        ...base,
        Services: choose.pick([[{ Name: 'db' }], [{ Name: 'db', CAFile: '/x' }], [{ Name: '' }], [{ Name: 'db' }, { Name: 'db' }]]),
      };
  }
}

function wrong(choose: Chooser): unknown {
  return choose.pick<unknown>([
    '{',
    {},
    { Kind: 'bogus', Name: 'x' },
    { Name: 'x' },
    { Kind: 'service-defaults' },
    { Kind: 'service-defaults', Name: 'web', Nope: 1 },
    { Kind: 'service-resolver', Name: 'web', DefaultSubset: 'none' },
    { Kind: 'service-resolver', Name: 'web', Redirect: { Service: 'db' }, Failover: { '*': { Service: 'x' } } },
  ]);
}

import { formatDuration, type schema } from '@lictor/protocol';
import { FilterError, parseExpression } from '../../filter/index.ts';
import { quote, rejected } from '../../problems.ts';
import { commonFields, duration, flag, listOf, mapOf, pointer, struct, text } from '../../shape/index.ts';
import { defineKind } from '../kind.ts';
import { loadBalancer, validateLoadBalancer } from './load-balancer.ts';
import { requireName, validateMeta } from './meta.ts';

const target = {
  Service: text(),
  ServiceSubset: text(),
  Namespace: text(),
  Partition: text(),
  Datacenter: text(),
  Peer: text(),
};

const shape = struct({
  ...commonFields,
  DefaultSubset: text(),
  Subsets: mapOf(struct({ Filter: text(), OnlyPassing: flag() })),
  Redirect: pointer(struct({ ...target, SamenessGroup: text() })),
  Failover: mapOf(
    struct({
      Service: text(),
      ServiceSubset: text(),
      Namespace: text(),
      Datacenters: listOf(text()),
      Targets: listOf(struct(target)),
      Policy: pointer(struct({ Mode: text(), Regions: listOf(text()) })),
      SamenessGroup: text(),
    }),
  ),
  PrioritizeByLocality: pointer(struct({ Mode: text() })),
  ConnectTimeout: duration(),
  RequestTimeout: duration(),
  LoadBalancer: pointer(loadBalancer),
});
export type ServiceResolver = schema.Infer<typeof shape>;
type Redirect = NonNullable<ServiceResolver['Redirect']>;
type Failover = ServiceResolver['Failover'][string];

const SUBSET_NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const SUBSET_MAX_LENGTH = 63;

export const serviceResolver = defineKind<ServiceResolver>({
  kind: 'service-resolver',
  shape,
  validate: (entry) => {
    requireName(entry.Name);
    validateMeta(entry.Meta);
    validateSubsets(entry);
    if (entry.PrioritizeByLocality !== undefined && entry.PrioritizeByLocality.Mode !== '') {
      throw rejected('Prioritize-by-locality requires Consul Enterprise ');
    }
    if (entry.Redirect !== undefined) validateRedirect(entry, entry.Redirect);
    for (const [subset, failover] of Object.entries(entry.Failover)) validateFailover(entry, subset, failover);
    if (entry.ConnectTimeout < 0) throw rejected(`Bad ConnectTimeout '${formatDuration(entry.ConnectTimeout)}', must be >= 0`);
    if (entry.RequestTimeout < 0) throw rejected(`Bad RequestTimeout '${formatDuration(entry.RequestTimeout)}', must be >= 0`);
    if (entry.LoadBalancer !== undefined) validateLoadBalancer(entry.LoadBalancer);
  },
});

function validateSubsets(entry: ServiceResolver): void {
  for (const [name, subset] of Object.entries(entry.Subsets)) {
    if (name === '') throw rejected('Subset defined with empty name');
    if (name.length > SUBSET_MAX_LENGTH) throw rejected(`Subset ${quote(name)} is invalid: must be non-empty and 63 characters or fewer`);
    if (!SUBSET_NAME.test(name)) {
      throw rejected(
        `Subset ${quote(name)} is invalid: must be 63 characters or fewer, begin or end with lower case alphanumeric characters, and contain lower case alphanumeric characters or '-' in between`,
      );
    }
    if (subset.Filter === '') continue;
    try {
      parseExpression(subset.Filter);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      throw rejected(`Filter for subset ${quote(name)} is not a valid expression: ${error.message}`);
    }
  }
  if (entry.DefaultSubset !== '' && !hasSubset(entry, entry.DefaultSubset))
    throw rejected(`DefaultSubset ${quote(entry.DefaultSubset)} is not a valid subset`);
}

function hasSubset(entry: ServiceResolver, subset: string): boolean {
  return Object.hasOwn(entry.Subsets, subset);
}

function validateRedirect(entry: ServiceResolver, redirect: Redirect): void {
  for (const field of ['Partition', 'Namespace', 'SamenessGroup'] as const) {
    if (redirect[field] !== '') throw rejected(`Redirect: Setting ${field} requires Consul Enterprise`);
  }
  if (Object.keys(entry.Failover).length > 0) throw rejected('Redirect and Failover cannot both be set');
  if (Object.values(redirect).every((value) => value === '')) throw rejected('Redirect is empty');
  if (redirect.Peer !== '' && redirect.ServiceSubset !== '') throw rejected('Redirect.Peer cannot be set with Redirect.ServiceSubset');
  if (redirect.Peer !== '' && redirect.Datacenter !== '') throw rejected('Redirect.Peer cannot be set with Redirect.Datacenter');
  if (redirect.Service === '') {
    if (redirect.ServiceSubset !== '') throw rejected('Redirect.ServiceSubset defined without Redirect.Service');
    if (redirect.Peer !== '') throw rejected('Redirect.Peer defined without Redirect.Service');
  } else if (redirect.Service === entry.Name && redirect.ServiceSubset !== '' && !hasSubset(entry, redirect.ServiceSubset)) {
    throw rejected(`Redirect.ServiceSubset ${quote(redirect.ServiceSubset)} is not a valid subset of ${quote(entry.Name)}`);
  }
}

function validateFailover(entry: ServiceResolver, subset: string, failover: Failover): void {
  const prefix = `Bad Failover[${quote(subset)}]`;
  for (const field of ['Namespace', 'SamenessGroup'] as const) {
    if (failover[field] !== '') throw rejected(`${prefix}: Setting ${field} requires Consul Enterprise`);
  }
  if (subset !== '*' && !hasSubset(entry, subset)) throw rejected(`${prefix}: not a valid subset subset`);
  const isEmpty =
    failover.Service === '' && failover.ServiceSubset === '' && failover.Datacenters.length === 0 && failover.Targets.length === 0;
  if (isEmpty) throw rejected(`${prefix}: one of Service, ServiceSubset, Namespace, Targets, SamenessGroup, or Datacenters is required`);
  if (failover.Policy !== undefined && failover.Policy.Mode !== '')
    throw rejected(`${prefix}: Setting failover policies requires Consul Enterprise`);
  const isOwn = failover.Service === '' || failover.Service === entry.Name;
  if (failover.ServiceSubset !== '' && isOwn && !hasSubset(entry, failover.ServiceSubset)) {
    throw rejected(`${prefix}: ServiceSubset ${quote(failover.ServiceSubset)} is not a valid subset of ${quote(failover.Service)}`);
  }
  if (failover.Targets.length > 0) {
    if (failover.Datacenters.length > 0) throw rejected(`${prefix}: Targets cannot be set with Datacenters`);
    if (failover.ServiceSubset !== '') throw rejected(`${prefix}: Targets cannot be set with ServiceSubset`);
    if (failover.Service !== '') throw rejected(`${prefix}: Targets cannot be set with Service`);
  }
  failover.Targets.forEach((item, index) => validateFailoverTarget(entry, item, `${prefix}.Targets[${index}]`));
  if (failover.Datacenters.includes('')) throw rejected(`${prefix}.Datacenters: found empty datacenter`);
}

function validateFailoverTarget(entry: ServiceResolver, item: Failover['Targets'][number], prefix: string): void {
  for (const field of ['Partition', 'Namespace'] as const) {
    if (item[field] !== '') throw rejected(`${prefix}: Setting ${field} requires Consul Enterprise`);
  }
  if (item.Peer !== '' && item.ServiceSubset !== '') throw rejected(`${prefix}: Peer cannot be set with ServiceSubset`);
  if (item.Peer !== '' && item.Datacenter !== '') throw rejected(`${prefix}: Peer cannot be set with Datacenter`);
  const isOwn = item.Service === '' || item.Service === entry.Name;
  if (item.ServiceSubset !== '' && isOwn && !hasSubset(entry, item.ServiceSubset)) {
    throw rejected(`${prefix}: ServiceSubset ${quote(item.ServiceSubset)} is not a valid subset of ${quote(entry.Name)}`);
  }
}

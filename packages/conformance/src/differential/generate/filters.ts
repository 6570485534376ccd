import type { Chooser } from './chooser.ts';

/** What a kind of row can be asked for: selector -> values that occur. */
export type Selectors = Readonly<Record<string, readonly string[]>>;

export const NODE_SELECTORS: Selectors = {
  Node: ['n1', 'obs'],
  Address: ['10.0.0.1'],
  Datacenter: ['dc1'],
  'Meta.rack': ['r1', 'r2'],
  'Meta["rack"]': ['r1'],
  TaggedAddresses: ['lan'],
  'TaggedAddresses.lan': ['10.0.0.1'],
};
export const CATALOG_SELECTORS: Selectors = {
  ServiceName: ['web'],
  ServiceID: ['web-1'],
  ServicePort: ['80', '81'],
  ServiceTags: ['v1', 'v2'],
  'ServiceMeta.env': ['prod'],
  ServiceKind: ['', 'connect-proxy'],
  'ServiceWeights.Passing': ['1', '5'],
  ServiceEnableTagOverride: ['true', 'false'],
  'ServiceProxy.DestinationServiceName': ['web'],
  Node: ['n1'],
  'NodeMeta.rack': ['r1'],
};
export const HEALTH_SELECTORS: Selectors = {
  'Node.Node': ['n1'],
  'Node.Meta.rack': ['r1'],
  'Service.Service': ['web'],
  'Service.Tags': ['v1'],
  'Service.Port': ['80'],
  'Service.Meta': ['env'],
  Checks: [],
  'Checks.Status': ['passing', 'critical'],
  'Checks.CheckID': ['c1'],
};
export const CHECK_SELECTORS: Selectors = {
  Node: ['n1'],
  CheckID: ['c1'],
  Status: ['passing'],
  ServiceName: ['web'],
  Output: ['out'],
};
export const AGENT_SELECTORS: Selectors = {
  Service: ['front'],
  ID: ['front'],
  Port: ['7000'],
  Tags: ['v1'],
  'Meta.env': ['prod'],
  Kind: ['connect-proxy'],
  'Weights.Warning': ['1'],
};
export const INTENTION_SELECTORS: Selectors = {
  SourceName: ['web', '*'],
  DestinationName: ['db'],
  Action: ['allow', 'deny'],
  Precedence: ['9', '8'],
  'Meta.why': ['x'],
  Description: ['d'],
  ID: ['x'],
};

/** A filter expression, seldom a wrong one; URL-encoded. */
export function filter(choose: Chooser, selectors: Selectors): string {
  return encodeURIComponent(choose.chance(12) ? wrong(choose, selectors) : expression(choose, selectors, 2));
}

function expression(choose: Chooser, selectors: Selectors, depth: number): string {
  if (depth === 0 || choose.chance(50)) return comparison(choose, selectors);
  const [left, right] = [expression(choose, selectors, depth - 1), expression(choose, selectors, depth - 1)];
  return choose.pick([
    `${left} and ${right}`,
    `${left} or ${right}`,
    `not ${left}`,
    `(${left}) and not (${right})`,
    `not (${left} or ${right})`,
  ]);
}

function comparison(choose: Chooser, selectors: Selectors): string {
  const selector = choose.pick(Object.keys(selectors) as [string, ...string[]]);
  const values = selectors[selector] ?? [];
  const value = choose.chance(70) && values.length > 0 ? choose.pick(values as [string, ...string[]]) : choose.pick(['x', '1', '']);
  return choose.pick([
    `${selector} == "${value}"`,
    `${selector} == "${value}"`,
    `${selector} != "${value}"`,
    `"${value}" in ${selector}`,
    `"${value}" not in ${selector}`,
    `${selector} contains "${value}"`,
    `${selector} not contains \`${value}\``,
    `${selector} is empty`,
    `${selector} is not empty`,
    `${selector} matches "^${value}"`,
    `${selector} not matches "${value}.*"`,
  ]);
}

function wrong(choose: Chooser, selectors: Selectors): string {
  const selector = choose.pick(Object.keys(selectors) as [string, ...string[]]);
  return choose.pick([
    `Bogus == 1`,
    `${selector} = 1`,
    `${selector} ==`,
    `${selector}.x.y == 1`,
    `(${selector} == 1`,
    `${selector} matches "["`,
    'and',
    `"a" == "b"`,
    `${selector} is`,
  ]);
}

import type { Authorizer } from '@lictor/mesh';
import { beforeEach, describe, expect, it } from 'vitest';
import { COORDINATE_BATCH_UPDATE } from '../../fsm/commands/coordinate.ts';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { catalogReads, catalogWrites } from './catalog.ts';
import { healthReads } from './health.ts';

let server: EndpointHarness;

const register = (body: Readonly<Record<string, unknown>>): Promise<void> =>
  server.call<'Catalog.Register'>(catalogWrites['Catalog.Register'], registration(body));
const health = (service: string, request = {}, authorizer?: Authorizer) =>
  server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service, ...request }, authorizer);
const state = (word: string, request = {}) =>
  server.read<'Health.ChecksInState'>(healthReads['Health.ChecksInState'], { state: word as 'any', ...request });
const nodesOf = (request = {}): string[] => health('web', request).value.map(({ Node }) => Node.Node);

/** Three instances of web: passing, warning, and critical by a check of the node. */
beforeEach(async () => {
  server = createEndpointHarness();
  const instance = (status: string) => ({ CheckID: 'web', ServiceID: 'web', Name: 'c', Status: status });
  await register({ Node: 'n1', NodeMeta: { zone: 'a' }, Service: { Service: 'web', Tags: ['v1'] }, Check: instance('passing') });
  await register({ Node: 'n2', Service: { Service: 'web', Tags: ['v2'] }, Check: instance('warning') });
  await register({ Node: 'n3', Service: { Service: 'web' }, Checks: [instance('passing'), { CheckID: 'disk', Status: 'critical' }] });
});

describe('instances with their health (consul-facts H081)', () => {
  it('puts the checks of the node before those of the service', () => {
    expect(health('web').value.map(({ Checks }) => Checks.map(({ CheckID }) => CheckID))).toEqual([['web'], ['web'], ['disk', 'web']]);
  });

  it('drops with `passing` what has any other check, a warning too', () => {
    expect(nodesOf({ passingOnly: true })).toEqual(['n1']);
  });

  it('filters by node metadata, tag and expression', () => {
    expect(nodesOf({ nodeMeta: { zone: 'a' } })).toEqual(['n1']);
    expect(nodesOf({ tags: ['V2'] })).toEqual(['n2']);
    expect(nodesOf({ filter: 'Checks.Status == critical' })).toEqual(['n3']);
    expect(nodesOf({ filter: 'Service.Tags contains "v1" or Node.Node == n3' })).toEqual(['n1', 'n3']);
    expect(() => nodesOf({ filter: 'bogus==1' })).toThrow('Failed to create boolean expression evaluator: Selector "bogus" is not valid');
  });

  it('has no instances of peers and no ingress gateways', () => {
    expect(health('web', { peer: 'other' }).value).toEqual([]);
    expect(health('web', { ingress: true })).toMatchObject({ value: [], index: 1 });
  });

  it('filters what the caller may not see before the expression runs', () => {
    const reader: Authorizer = {
      accessorId: 'x',
      allows: (resource, segment) => resource !== 'node' || segment !== 'n3',
      allowsPrefix: () => false,
      allowsAny: () => false,
    };
    expect(health('web', { filter: 'Checks.Status == critical' }, reader)).toMatchObject({ value: [], isFiltered: true });
  });
});

describe('lists of checks (consul-facts H078-H080)', () => {
  it('lists by node, by service and by state', () => {
    const ofNode = server.read<'Health.NodeChecks'>(healthReads['Health.NodeChecks'], { node: 'N3' });
    expect(ofNode.value.map(({ CheckID }) => CheckID)).toEqual(['disk', 'web']);
    const ofService = server.read<'Health.ServiceChecks'>(healthReads['Health.ServiceChecks'], { service: 'WEB', nodeMeta: { zone: 'a' } });
    expect(ofService.value.map(({ Node }) => Node)).toEqual(['n1']);
    expect(state('critical').value.map(({ CheckID }) => CheckID)).toEqual(['disk']);
    expect(state('any').value).toHaveLength(4);
    expect(state('any', { filter: 'Node == n3' }).value).toHaveLength(2);
  });

  it('keeps states that Consul does not know, and lists them under their word', async () => {
    await register({ Node: 'n9', Check: { CheckID: 'x', Status: 'bogus' } });
    expect(state('bogus').value.map(({ Node }) => Node)).toEqual(['n9']);
  });
});

describe('sorting by distance', () => {
  const at = (x: number, height = 0.0001) => ({ Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: height });
  const place = (positions: Readonly<Record<string, number>>, height?: number): unknown =>
    server.apply(COORDINATE_BATCH_UPDATE, {
      updates: Object.entries(positions).map(([Node, x]) => ({ Node, Segment: '', Coord: at(x, height) })),
    });

  it('puts the nearest first and nodes without a coordinate last', () => {
    place({ n3: 0.01, n2: 0.02 });
    expect(nodesOf({ near: 'n3' })).toEqual(['n3', 'n2', 'n1']);
    const nodes = server.read<'Catalog.ListNodes'>(catalogReads['Catalog.ListNodes'], { near: 'n2' });
    expect(nodes.value.map(({ Node }) => Node)).toEqual(['n2', 'n3', 'n1']);
  });

  it('puts nothing before the node itself, however slow its own network is', () => {
    place({ n1: 0.01, n2: 0.012 });
    place({ n3: 0.01 }, 0.5);
    expect(nodesOf({ near: 'n3' })).toEqual(['n3', 'n1', 'n2']);
  });

  it('keeps the order when the origin is unknown', () => {
    place({ n3: 0.01 });
    expect(nodesOf({ near: 'nowhere' })).toEqual(['n1', 'n2', 'n3']);
  });

  it('does not wake a query when only coordinates move', () => {
    const before = health('web', { near: 'n1' });
    place({ n1: 1, n2: 2 });
    const after = health('web', { near: 'n1' });
    expect([after.index, after.dependencies]).toEqual([before.index, before.dependencies]);
  });
});

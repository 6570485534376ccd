import type { CheckServiceNode } from '@lictor/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogReads } from '../../rpc/endpoints/catalog.ts';
import { healthReads } from '../../rpc/endpoints/health.ts';
import { toHealthChecks, toNodeService } from '../../rpc/endpoints/shared/register-rows.ts';
import { StateStore } from '../../state/store.ts';
import { ALL_TABLES } from '../../state/tables/index.ts';
import { virtualIpsTable } from '../../state/tables/virtual-ips.ts';
import { createEndpointHarness, type EndpointHarness, registration } from '../../testing/endpoints.ts';
import { NaiveCatalog, type Operation } from '../../testing/naive-catalog.ts';
import { decodeSnapshotNow, encodeSnapshot } from '../snapshot/index.ts';
import { CATALOG_DEREGISTER, CATALOG_REGISTER, type RegisterBody } from './catalog.ts';

const NODES = ['n1', 'n2', 'N3'] as const;
const SERVICES = ['web', 'api', 'Db'] as const;
const CHECKS = ['c1', 'c2'] as const;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('register-service' as const),
      node: fc.constantFrom(...NODES),
      id: fc.constantFrom('i1', 'i2', 'i3'),
      service: fc.constantFrom(...SERVICES),
      tags: fc.subarray(['a', 'B']),
      mesh: fc.constantFrom('none' as const, 'native' as const, 'proxy' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('register-check' as const),
      node: fc.constantFrom(...NODES),
      check: fc.constantFrom(...CHECKS),
      serviceId: fc.constantFrom('', 'i1', 'i2'),
      status: fc.constantFrom('passing', 'warning', 'critical'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('register-node' as const),
      node: fc.constantFrom(...NODES),
      address: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deregister-service' as const),
      node: fc.constantFrom(...NODES),
      id: fc.constantFrom('i1', 'i2', 'i3'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('deregister-check' as const),
      node: fc.constantFrom(...NODES),
      check: fc.constantFrom(...CHECKS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deregister-node' as const), node: fc.constantFrom(...NODES) }) },
);
const operations = fc.array(operation, { maxLength: 40 });

function registerBody(body: Readonly<Record<string, unknown>>): RegisterBody {
  const request = registration(body);
  const node = { ID: '', Node: request.Node, Address: request.Address, Datacenter: 'dc1', TaggedAddresses: null, Meta: null };
  return {
    node,
    skipNodeUpdate: request.SkipNodeUpdate,
    checks: toHealthChecks(request),
    ...(request.Service === undefined ? {} : { service: toNodeService(request.Service) }),
  };
}

function commandOf(step: Operation): readonly [string, unknown] {
  switch (step.kind) {
    case 'register-node':
      return [CATALOG_REGISTER, registerBody({ Node: step.node, Address: step.address })];
    case 'register-service': {
      const proxy = { Kind: 'connect-proxy', Proxy: { DestinationServiceName: step.service } };
      const Service = {
        ID: step.id,
        Service: step.mesh === 'proxy' ? `${step.service}-proxy` : step.service,
        Tags: step.tags,
        Port: 1,
        ...(step.mesh === 'proxy' ? proxy : { Connect: { Native: step.mesh === 'native' } }),
      };
      return [CATALOG_REGISTER, registerBody({ Node: step.node, SkipNodeUpdate: true, Service })];
    }
    case 'register-check': {
      const Check = { CheckID: step.check, ServiceID: step.serviceId, Status: step.status };
      return [CATALOG_REGISTER, registerBody({ Node: step.node, SkipNodeUpdate: true, Check })];
    }
    case 'deregister-service':
      return [CATALOG_DEREGISTER, { node: step.node, serviceId: step.id, checkId: '' }];
    case 'deregister-check':
      return [CATALOG_DEREGISTER, { node: step.node, serviceId: '', checkId: step.check }];
    case 'deregister-node':
      return [CATALOG_DEREGISTER, { node: step.node, serviceId: '', checkId: '' }];
  }
}

function applyAll(server: EndpointHarness, steps: readonly Operation[], afterEach: (step: Operation, applied: boolean) => void): void {
  for (const step of steps) {
    const [type, body] = commandOf(step);
    let applied = true;
    try {
      server.apply(type, body);
    } catch {
      applied = false;
    }
    afterEach(step, applied);
  }
}

const health = (server: EndpointHarness, service: string, connect = false) =>
  server.read<'Health.ServiceNodes'>(healthReads['Health.ServiceNodes'], { service, connect });
const describeInstance = ({ Node, Service, Checks }: CheckServiceNode): string =>
  `${Node.Node}/${Node.Address}/${Service.ID}/${Service.Service}/${Service.Tags.join(',')}:${Checks.map((check) => `${check.CheckID}=${check.Status}=${check.ServiceName}=${check.ServiceTags.join(',')}`).join(' ')}`;

describe('the catalog against a naive model', () => {
  it('answers every query as the model does, after every command', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const server = createEndpointHarness();
        const model = new NaiveCatalog();
        applyAll(server, steps, (step, applied) => {
          expect(applied).toBe(model.apply(step));
          for (const service of SERVICES) {
            expect(health(server, service).value.map(describeInstance)).toEqual(model.instances(service));
            expect(health(server, service, true).value.map(({ Node, Service }) => `${Node.Node}/${Service.ID}`)).toEqual(
              model.mesh(service),
            );
          }
          const services = server.read<'Catalog.ListServices'>(catalogReads['Catalog.ListServices'], {}).value;
          expect({ ...services }).toEqual(model.services());
          for (const state of ['passing', 'critical'] as const) {
            const listed = server.read<'Health.ChecksInState'>(healthReads['Health.ChecksInState'], { state }).value;
            expect(listed.map(({ Node, CheckID }) => `${Node}/${CheckID}`)).toEqual(model.checksIn(state));
          }
        });
      }),
      { numRuns: 150 },
    );
  });

  it('gives a virtual IP of its own to exactly the services that the mesh knows', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const server = createEndpointHarness();
        const model = new NaiveCatalog();
        applyAll(server, steps, (step) => {
          model.apply(step);
          const held = [...server.reader().scan(virtualIpsTable)];
          expect(new Set(held.map(({ Offset }) => Offset)).size).toBe(held.length);
          const names = new Set(held.map(({ Service }) => Service));
          for (const service of SERVICES) if (model.mesh(service).length > 0) expect(names).toContain(service);
          for (const name of names) expect(model.mesh(name).length + model.instances(name).length).toBeGreaterThan(0);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('moves the index of a health answer when, and only when, the answer changes', () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const server = createEndpointHarness();
        let before = SERVICES.map((service) => health(server, service));
        applyAll(server, steps, () => {
          const after = SERVICES.map((service) => health(server, service));
          after.forEach((answer, position) => {
            const last = before[position];
            const isSame = JSON.stringify(answer.value) === JSON.stringify(last?.value);
            if (!isSame) expect(answer.index).toBe(server.store.appliedIndex);
            else if (answer.value.length > 0) expect(answer.index).toBe(last?.index);
          });
          before = after;
        });
      }),
      { numRuns: 150 },
    );
  });

  it('is the same after a restart from a snapshot, and goes on the same', () => {
    fc.assert(
      fc.property(operations, operations, (steps, more) => {
        const server = createEndpointHarness();
        applyAll(server, steps, () => undefined);
        const { tables, lastIndex } = decodeSnapshotNow(Buffer.concat([...encodeSnapshot(server.store.snapshot())]), ALL_TABLES);
        const store = new StateStore();
        store.replace(tables, lastIndex);
        const restarted = createEndpointHarness(store);
        const answers = (of: EndpointHarness) => SERVICES.map((service) => [health(of, service), health(of, service, true)]);
        expect(answers(restarted)).toEqual(answers(server));
        for (const each of [server, restarted]) applyAll(each, more, () => undefined);
        expect(answers(restarted)).toEqual(answers(server));
      }),
      { numRuns: 50 },
    );
  });
});

import { createTestCa, subjectAltNameExtension, type TestCa } from '@lictor/pki/testing';
import { decodePem } from '@lictor/pki';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseMeshTrust, readMeshCaller } from './mesh-caller.ts';

let mesh: TestCa;
let agents: TestCa;
beforeAll(async () => {
  [mesh, agents] = await Promise.all([createTestCa(), createTestCa({ clusterId: '99999999-2222-3333-4444-555555555555' })]);
});

const trust = (agentCaPems: readonly string[] = [agents.rootPem]) =>
  parseMeshTrust({ trustDomain: mesh.trustDomain, datacenter: 'dc1', rootPems: [mesh.rootPem], intermediatePems: [] }, agentCaPems);
const agent = (more = {}) =>
  ({ kind: 'agent', trustDomain: mesh.trustDomain, partition: 'default', datacenter: 'dc1', node: 'n1', ...more }) as const;
const named = (ca: TestCa, ...dnsNames: readonly string[]) => ca.craft([subjectAltNameExtension({ dnsNames }, true)]);

describe('a caller of the mesh (CVE-2021-37219)', () => {
  it('is an agent of this datacenter', async () => {
    const { certDer } = await mesh.issue(agent(), { dnsNames: ['localhost'] });
    expect(readMeshCaller(certDer, trust())).toEqual({ kind: 'agent', node: 'n1' });
  });

  it.each([
    ['a service', () => mesh.issue(mesh.serviceId('web'))],
    ['a mesh gateway', () => mesh.issue({ ...agent(), kind: 'mesh-gateway' })],
    ['a server', () => mesh.issue({ kind: 'server', trustDomain: mesh.trustDomain, datacenter: 'dc1' })],
    ['an agent of another datacenter', () => mesh.issue(agent({ datacenter: 'dc2' }))],
    ['an agent of another trust domain', () => mesh.issue(agent({ trustDomain: 'other.consul' }))],
    ['an agent of another partition', () => mesh.issue(agent({ partition: 'team' }))],
    ['nobody by an id', () => named(mesh, 'server.dc1.consul')],
    [
      'two',
      () => {
        const uri = `spiffe://${mesh.trustDomain}/agent/client/dc/dc1/id/n1`;
        return mesh.craft([subjectAltNameExtension({ uris: [uri, uri] }, true)]);
      },
    ],
    ['a service, as the CA of agents says', () => agents.issue(mesh.serviceId('web'))],
  ])('is refused as %s', async (_what, issue) => {
    const { certDer } = await issue();
    expect(readMeshCaller(certDer, trust()).kind).toBe('refused');
  });

  it('is refused with the certificate of the CA itself, and with anything that is none', () => {
    const [root] = decodePem(mesh.rootPem);
    expect(readMeshCaller(root?.der ?? Buffer.alloc(0), trust()).kind).toBe('refused');
    expect(readMeshCaller(Buffer.from('nonsense'), trust()).kind).toBe('refused');
  });
});

describe('a caller of the CA of agents', () => {
  it('is nothing of the mesh, whatever it is called', async () => {
    for (const leaf of [await named(agents, 'server.dc1.consul'), await agents.issue(agents.serviceId('web'))]) {
      expect(readMeshCaller(leaf.certDer, trust())).toEqual({ kind: 'stranger' });
    }
  });

  it('is told by its names where one CA is both', async () => {
    const { certDer } = await named(mesh, 'server.dc1.consul');
    expect(readMeshCaller(certDer, trust([mesh.rootPem]))).toEqual({ kind: 'stranger' });
    expect(readMeshCaller((await mesh.issue(mesh.serviceId('web'))).certDer, trust([mesh.rootPem])).kind).toBe('refused');
  });
});

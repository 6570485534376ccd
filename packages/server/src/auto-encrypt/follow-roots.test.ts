import { createTestCa } from '@lictor/pki/testing';
import { MemoryLogger } from '@lictor/protocol/testing';
import { expect, it } from 'vitest';
import { caRequest, createCaHarness } from '../connect-ca/testing/harness.ts';
import type { MeshTrust } from '../tls/index.ts';
import { followMeshRoots } from './follow-roots.ts';

it('trusts the roots of the mesh, through every rotation, and keeps those that it has when new ones cannot be used', async () => {
  const harness = createCaHarness();
  const ca = harness.createCa();
  const trusted: MeshTrust[] = [];
  let failure: Error | undefined;
  const trustMesh = (mesh: MeshTrust): void => {
    if (failure !== undefined) throw failure;
    trusted.push(mesh);
  };
  const logger = new MemoryLogger();
  const admission = { caPems: [], verifiesServerHostname: true, trustMesh };
  const end = followMeshRoots('dc1', { store: harness.store, admission, logger });
  expect(trusted).toEqual([]);
  await ca.start();
  harness.store.commit();
  const [first] = trusted.slice(-1);
  expect(first).toMatchObject({ trustDomain: harness.trustDomain(), datacenter: 'dc1', rootPems: [harness.activeRoot().RootCert] });

  failure = new Error('unusable');
  await ca.configure(caRequest({ PrivateKeyType: 'ec', PrivateKeyBits: 384, LeafCertTTL: '1h' }));
  const before = trusted.length;
  harness.store.commit();
  expect(trusted).toHaveLength(before);

  failure = undefined;
  const { signer, rootPem } = await createTestCa({
    clusterId: harness.trustDomain().replace('.consul', ''),
    nowMs: harness.clock.now(),
  });
  await ca.configure(caRequest({ PrivateKey: signer.key.pem.reveal(), RootCert: rootPem }));
  harness.store.commit();
  // The one in between was not lost: it is in the list that can be used again.
  expect(trusted.at(-1)?.rootPems).toEqual(harness.roots().map(({ RootCert }) => RootCert));
  expect(trusted.at(-1)?.rootPems).toContain(rootPem);
  end();
  const count = trusted.length;
  await ca.configure(caRequest({ LeafCertTTL: '2h', PrivateKey: signer.key.pem.reveal(), RootCert: rootPem }));
  harness.store.commit();
  expect(trusted).toHaveLength(count);
  ca.stop();
});

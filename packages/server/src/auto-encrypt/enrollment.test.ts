import { createAgentCsrPem, createServiceCsrPem } from './testing/requests.ts';
import { allowAll } from '@lictor/mesh';
import { LictorError, type RpcRequest, Secret, type ServerPort, silentMetrics } from '@lictor/protocol';
import { FakeClock } from '@lictor/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCaHarness, type CaHarness } from '../connect-ca/testing/harness.ts';
import type { ConnectCa } from '../connect-ca/manager.ts';
import { createAutoEncryptWrites } from '../rpc/endpoints/auto-encrypt.ts';
import type { WriteContext } from '../rpc/types.ts';
import { createEnrollment } from './enrollment.ts';

const denyAll = { ...allowAll, allows: () => false };
const REQUEST = { csr: 'csr', datacenter: 'dc1' };
const NOT_ALLOWED = 'AutoEncrypt.AllowTLS must be enabled in order to use this endpoint';

describe('callers without a certificate', () => {
  const setUp = (isAllowed = true) => {
    const clock = new FakeClock();
    const calls: unknown[][] = [];
    const server = {
      call: (...call: unknown[]) => {
        calls.push(call);
        return Promise.resolve('signed');
      },
    } as unknown as ServerPort;
    const handler = createEnrollment({ datacenter: 'dc1', isAllowed }, { clock, metrics: silentMetrics, server });
    const ask = (request: unknown, method = 'AutoEncrypt.Sign', options = {}): Promise<unknown> => handler({ method, request, options });
    return { clock, calls, ask };
  };

  it('may ask for one, with their token, and what else they send is dropped', async () => {
    const { ask, calls } = setUp();
    const token = new Secret('t');
    const more = { token, datacenter: 'dc2', query: { minIndex: 5, maxWaitMs: 600_000 } };
    expect(await ask({ ...REQUEST, extra: 1 }, 'AutoEncrypt.Sign', more)).toBe('signed');
    expect(calls).toEqual([['AutoEncrypt.Sign', REQUEST, { token }]]);
  });

  it.each(['ConnectCA.Sign', 'KVS.Get', 'Snapshot.Restore', 'Status.Leader', '__proto__', 'x'.repeat(1_000)])(
    'may not call %s',
    async (method) => {
      const { ask, calls } = setUp();
      await expect(ask(REQUEST, method)).rejects.toMatchObject({
        code: 'rejected',
        message: expect.stringMatching(/^rpc: can't find method .{1,90}$/),
      });
      expect(calls).toEqual([]);
    },
  );

  it.each([undefined, null, 'csr', {}, { csr: 'csr' }, { csr: 1, datacenter: 'dc1' }, { csr: 'csr', datacenter: ['dc1'] }])(
    'cannot send %j',
    async (request) => {
      const { ask, calls } = setUp();
      await expect(ask(request)).rejects.toMatchObject({ code: 'invalid-argument' });
      expect(calls).toEqual([]);
    },
  );

  it('get nothing without allow_tls, and nothing from another datacenter', async () => {
    await expect(setUp(false).ask(REQUEST)).rejects.toMatchObject({ message: NOT_ALLOWED, httpStatus: 500 });
    await expect(setUp().ask({ ...REQUEST, datacenter: 'dc2' })).rejects.toMatchObject({
      message: "mismatched datacenter (client_dc='dc2' server_dc='dc1'); check client has same datacenter set as servers",
    });
  });

  it('are held to a rate, all together', async () => {
    const { ask, clock } = setUp();
    const asked = Array.from({ length: 60 }, () => ask(REQUEST).catch((error: unknown) => LictorError.from(error).message));
    await clock.advance(1_000);
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => answer === 'signed')).toHaveLength(26);
    expect(answers.filter((answer) => answer === 'Rate limit reached, try again later')).toHaveLength(34);
  });
});

describe('AutoEncrypt.Sign, at the leader (consul-facts P006, P029)', () => {
  let harness: CaHarness;
  let ca: ConnectCa;
  beforeEach(async () => {
    harness = createCaHarness();
    ca = harness.createCa();
    await ca.start();
  });
  afterEach(() => ca.stop());

  const sign = (request: RpcRequest<'AutoEncrypt.Sign'>, { isAllowed = true, isEnabled = true, authorizer = allowAll } = {}) => {
    const services = { isAllowed, manualCaPems: () => ['agents'], verifiesServerHostname: true };
    const endpoints = createAutoEncryptWrites(isEnabled ? ca : null, services);
    const { ports } = harness;
    const context: WriteContext = { ...ports, authorizer, datacenter: 'dc1', reader: () => harness.reader() };
    return endpoints['AutoEncrypt.Sign'](request, context);
  };

  it('answers the certificate, both CAs, and whether servers must be called by their name', async () => {
    const { value } = await sign({ csr: await createAgentCsrPem(), datacenter: 'dc1' });
    expect(value).toMatchObject({
      IssuedCert: { Agent: 'n1', AgentURI: `spiffe://${harness.trustDomain()}/agent/client/dc/dc1/id/n1` },
      ConnectCARoots: { TrustDomain: harness.trustDomain(), Roots: [{ RootCert: harness.activeRoot().RootCert }] },
      ManualCARoots: ['agents'],
      VerifyServerHostname: true,
    });
    expect(JSON.stringify(value)).not.toContain('PRIVATE KEY');
  });

  it('gives a service none, whatever the token may do', async () => {
    const csr = await createServiceCsrPem(harness.trustDomain());
    await expect(sign({ csr, datacenter: 'dc1' })).rejects.toThrow('SPIFFE ID in CSR must be an agent ID');
  });

  it('asks for node:write', async () => {
    const csr = await createAgentCsrPem();
    await expect(sign({ csr, datacenter: 'dc1' }, { authorizer: denyAll })).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('needs allow_tls, the mesh and its own datacenter', async () => {
    const csr = await createAgentCsrPem();
    await expect(sign({ csr, datacenter: 'dc1' }, { isAllowed: false })).rejects.toThrow(NOT_ALLOWED);
    await expect(sign({ csr, datacenter: 'dc1' }, { isEnabled: false })).rejects.toThrow(
      'Connect must be enabled in order to use this endpoint',
    );
    await expect(sign({ csr, datacenter: 'dc2' })).rejects.toThrow("mismatched datacenter (client_dc='dc2' server_dc='dc1')");
    await expect(sign({ csr: 'no csr', datacenter: 'dc1' })).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

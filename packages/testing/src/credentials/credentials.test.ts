import { createPrivateKey, X509Certificate } from 'node:crypto';
import { seededRandom } from '@lictor/protocol/testing';
import { systemClock, systemRandom } from '@lictor/protocol/system';
import { describe, expect, it } from 'vitest';
import { createAgentTlsIssuer } from './agent-tls.ts';
import { createGossipKey } from './gossip-key.ts';

describe('credentials of a test cluster', () => {
  it('have a gossip key of 32 bytes, another each time', () => {
    const random = seededRandom(1);
    const keys = [createGossipKey(random), createGossipKey(random)];
    expect(keys.map((key) => Buffer.from(key, 'base64').length)).toEqual([32, 32]);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('have certificates of one CA that only for servers name the server of their datacenter', async () => {
    const issuer = await createAgentTlsIssuer({ clock: systemClock, random: systemRandom }, { datacenter: 'dc7' });
    const all = [await issuer.server(), await issuer.client('client-1')];
    const [server, client] = all.map(({ certPem }) => new X509Certificate(certPem));
    for (const { caPem, certPem, keyPem } of all) {
      const certificate = new X509Certificate(certPem);
      expect(certificate.verify(new X509Certificate(caPem).publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
      expect(Date.parse(certificate.validFrom)).toBeLessThan(systemClock.now());
      expect(certificate.ca).toBe(false);
    }
    expect(server?.checkHost('server.dc7.consul')).toBeDefined();
    expect(client?.checkHost('server.dc7.consul')).toBeUndefined();
    expect(server?.serialNumber).not.toBe(client?.serialNumber);
  });
});

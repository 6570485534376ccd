import {
  BuiltinCaProvider,
  buildLeaf,
  createCsr,
  generatePrivateKey,
  keyIdOfSpki,
  type LeafSigningRequest,
  parseCertificate,
  parseCsr,
  type PrivateKey,
} from '@lictor/pki';

const HOUR_MS = 3600_000;

/** Like Vault: the root stays behind, an intermediate with a key of its own signs leaves. It trusts its caller about expiry. */
export class IntermediateProvider extends BuiltinCaProvider {
  #signing: { readonly pem: string; readonly key: PrivateKey } | undefined;

  override async activeLeafSigningCert(): Promise<string> {
    if (this.#signing === undefined) {
      const [uri = ''] = parseCertificate(await super.activeLeafSigningCert()).uris;
      const key = await generatePrivateKey();
      const id = { kind: 'signing', trustDomain: uri.slice('spiffe://'.length) } as const;
      this.#signing = { pem: await this.signIntermediate(parseCsr(createCsr({ id, key }))), key };
    }
    return this.#signing.pem;
  }

  override async sign({ csr, id }: LeafSigningRequest): Promise<string> {
    const certificate = parseCertificate(await this.activeLeafSigningCert());
    const key = this.#signing?.key ?? (await generatePrivateKey());
    const serial = BigInt(`0x${keyIdOfSpki(csr.spki).subarray(0, 8).toString('hex')}`);
    const { notBeforeMs } = certificate;
    return buildLeaf({ signer: { certificate, key }, serial, id, spki: csr.spki, notBeforeMs, notAfterMs: notBeforeMs + HOUR_MS });
  }
}

import type { ChannelCredentials } from '@grpc/grpc-js';
import type { SecureContext } from 'node:tls';
import { enrollCredentials, mustKnowCa, outgoingCredentials } from './outgoing.ts';
import { buildSecureContext, contextOptions } from './secure-context.ts';
import type { RpcTlsMaterial, RpcTlsOptions } from './types.ts';

/** A client agent's side of TLS towards servers. It shows its certificate, if it has one, to servers that verify their callers. */
export class AgentTls {
  readonly #options: RpcTlsOptions;
  readonly channelCredentials: ChannelCredentials;
  #context: SecureContext;

  /** @throws LictorError `invalid-argument` when the CA is missing, or something cannot be used */
  constructor(options: RpcTlsOptions, material: RpcTlsMaterial) {
    this.#options = options;
    this.#context = checkedContext(options, material);
    this.channelCredentials = outgoingCredentials(options, () => this.#context);
  }

  /** For connections from now on. @throws LictorError `invalid-argument`, and everything stays as it was */
  replace(material: RpcTlsMaterial): void {
    this.#context = checkedContext(this.#options, material);
  }
}

/** The way to servers of an agent that has no certificate yet, with its CA if it has one. @throws LictorError `invalid-argument` for a CA that cannot be used */
export function enrollTls(options: RpcTlsOptions, { caPems, keyPem }: RpcTlsMaterial): ChannelCredentials {
  const context = buildSecureContext(contextOptions(options, { caPems, certPem: '', keyPem }));
  return enrollCredentials(options, () => context, caPems.length > 0);
}

function checkedContext(options: RpcTlsOptions, material: RpcTlsMaterial): SecureContext {
  mustKnowCa(options, material);
  return buildSecureContext(contextOptions(options, material));
}

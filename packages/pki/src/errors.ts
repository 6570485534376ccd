/** What can be wrong with keys, requests, certificates and CA configuration. */
export type PkiErrorCode =
  | 'invalid-spiffe-id'
  | 'invalid-der'
  | 'invalid-pem'
  | 'invalid-san'
  | 'invalid-key'
  | 'invalid-certificate'
  /** The request is malformed, forged, or asks for what no leaf may have. */
  | 'invalid-csr'
  /** The CA configuration breaks a rule; the message is Consul's. */
  | 'invalid-config'
  /** The provider has no root yet, or its state is gone. */
  | 'not-initialized'
  /** The provider refuses to sign because its own certificate has expired. */
  | 'signer-expired'
  | 'cross-signing-disabled'
  /** An external CA asked to slow down. */
  | 'rate-limited';

export class PkiError extends Error {
  override readonly name: string = 'PkiError';
  readonly code: PkiErrorCode;

  constructor(code: PkiErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A URI that is not a SPIFFE ID, or one that names nothing in a Consul mesh. */
export class SpiffeIdError extends PkiError {
  override readonly name = 'SpiffeIdError';

  constructor(message: string) {
    super('invalid-spiffe-id', message);
  }
}

import type { Secret } from '@lictor/protocol';

/** What the built-in provider keeps for one configuration. It holds the CA's key, so it lives in the replicated state and nowhere else. */
export interface BuiltinCaRecord {
  /** Digest of the configuration that it belongs to. */
  readonly id: string;
  readonly privateKey: Secret;
  /** PEM. */
  readonly rootCert: string;
}

/** Where the built-in provider keeps its records, as a port: the replicated state on a server, memory in tests. */
export interface BuiltinCaStore {
  load(id: string): BuiltinCaRecord | undefined;
  /** Resolves once the record is durable. */
  save(record: BuiltinCaRecord): Promise<void>;
  remove(id: string): Promise<void>;
  /** A number never given before, on any server: a replicated counter. */
  nextSerial(): Promise<number>;
}

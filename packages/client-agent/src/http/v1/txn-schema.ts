import { checkDefinition, LictorError, schema, serviceAi } from '@lictor/protocol';

const { object, string, boolean, integer, list, record, nullable, optional, unknown } = schema;

/** uint64: JSON digits beyond 2^53 arrive as bigints (`parseTxnJson`). */
const uint64: schema.Schema<number | bigint> = {
  goType: 'uint64',
  zero: () => 0,
  decode: (value, context) => {
    if (typeof value === 'bigint') return value;
    return integer(0).decode(value, context);
  },
};

/** Go's []byte: base64 text. */
const bytes: schema.Schema<Uint8Array> = {
  goType: '[]uint8',
  zero: () => new Uint8Array(0),
  decode: (value, context) => {
    if (value === null || value === undefined) return new Uint8Array(0);
    if (typeof value !== 'string') throw schema.mismatch(context, value, '[]uint8');
    const illegal = illegalBase64At(value);
    if (illegal >= 0) throw new schema.DecodeError(context.path.join('.'), `illegal base64 data at input byte ${illegal}`);
    return Buffer.from(value, 'base64');
  },
};

/** Position of the first byte that Go's decoder would stop at, or -1. */
function illegalBase64At(text: string): number {
  const clean = /^[A-Za-z0-9+/\r\n]*/.exec(text)?.[0] ?? '';
  const rest = text.slice(clean.length);
  if (rest !== '' && !/^={1,2}[\r\n]*$/.test(rest)) return clean.length;
  return text.replace(/[\r\n]/g, '').length % 4 === 0 ? -1 : clean.length;
}

const kvOperation = object({
  Verb: string(),
  Key: string(),
  Value: bytes,
  Flags: uint64,
  Index: integer(0),
  Session: string(),
  Namespace: string(),
  Partition: string(),
});

const node = object({
  ID: string(),
  Node: string(),
  Address: string(),
  Datacenter: string(),
  TaggedAddresses: nullable(record(string())),
  Meta: nullable(record(string())),
  CreateIndex: integer(0),
  ModifyIndex: integer(0),
  PeerName: string(),
  Partition: string(),
});

const address = object({ Address: string(), Port: integer() });

const service = object({
  Kind: string(),
  ID: string(),
  Service: string(),
  Tags: list(string()),
  Meta: nullable(record(string())),
  Port: integer(),
  Ports: list(object({ Name: string(), Port: integer(), Default: boolean() })),
  Address: string(),
  SocketPath: string(),
  TaggedAddresses: nullable(record(address)),
  Weights: optional(object({ Passing: integer(), Warning: integer() })),
  EnableTagOverride: boolean(),
  CreateIndex: integer(0),
  ModifyIndex: integer(0),
  ContentHash: string(),
  /** Decoded by the proxy's own schema, which reads every casing. */
  Proxy: optional(unknown()),
  Connect: optional(object({ Native: boolean(), SidecarService: optional(unknown()) })),
  Locality: optional(record(string())),
  AI: optional(serviceAi),
  PeerName: string(),
  Datacenter: string(),
  Namespace: string(),
  Partition: string(),
});

const check = object({
  Node: string(),
  CheckID: string(),
  Name: string(),
  Status: string(),
  Notes: string(),
  Output: string(),
  ServiceID: string(),
  ServiceName: string(),
  ServiceTags: list(string()),
  Type: string(),
  Interval: string(),
  Timeout: string(),
  ExposedPort: integer(),
  Definition: optional(checkDefinition),
  Namespace: string(),
  Partition: string(),
  PeerName: string(),
  CreateIndex: integer(0),
  ModifyIndex: integer(0),
});

/** Body of PUT /v1/txn: each operation has one member set. */
export const txnBody = list(
  object({
    KV: optional(kvOperation),
    Node: optional(object({ Verb: string(), Node: node })),
    Service: optional(object({ Verb: string(), Node: string(), Service: service })),
    Check: optional(object({ Verb: string(), Check: check })),
    Session: optional(unknown()),
  }),
);
export type TxnBodyOperation = schema.Infer<typeof txnBody>[number];

/** JSON.parse that keeps integers beyond 2^53 as bigints; the slow form only runs on texts that have such digits. */
export function parseTxnJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown;
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    return context?.source !== undefined && /^\d{1,20}$/.test(context.source) ? BigInt(context.source) : value;
  };
  return JSON.parse(text, revive) as unknown;
}

export function txnFailed(reason: string): LictorError {
  return new LictorError('invalid-argument', `Failed to parse body: ${reason}`);
}

/** RFC 1035, 2782, 3596: the types that the catalog has answers for. */
export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, AXFR: 252, ANY: 255 } as const;
export const CLASS_IN = 1;
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

interface RecordBase {
  /** Without a final dot. */
  readonly name: string;
  readonly ttlSeconds: number;
}

export interface SoaData {
  readonly primary: string;
  readonly mailbox: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minTtl: number;
}

export type DnsRecord =
  | (RecordBase & { readonly type: 'A' | 'AAAA'; readonly address: string })
  | (RecordBase & { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly target: string })
  | (RecordBase & {
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    })
  | (RecordBase & { readonly type: 'TXT'; readonly texts: readonly string[] })
  | (RecordBase & { readonly type: 'SOA'; readonly soa: SoaData });

/** One answer with the records that belong to it in the additional section: they come and go together. */
export interface Answer {
  readonly record: DnsRecord;
  readonly additionals: readonly DnsRecord[];
}

export interface Resolution {
  readonly rcode: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly DnsRecord[];
}

export interface Question {
  /** As asked, case kept: it is echoed. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
}

/** EDNS client subnet (RFC 7871), echoed with scope 0. */
export interface ClientSubnet {
  readonly family: number;
  readonly sourcePrefix: number;
  readonly address: Uint8Array;
}

export interface DnsRequest {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly question: Question;
  /** Present when the request has an OPT record. */
  readonly edns?: { readonly udpSize: number; readonly subnet?: ClientSubnet };
}

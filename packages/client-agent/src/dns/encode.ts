import { isIPv6 } from 'node:net';
import { type Answer, CLASS_IN, type DnsRecord, type DnsRequest, type Resolution, TYPE } from './record.ts';

/** What the header of an answer says beside its counts. */
export interface EncodeOptions {
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  readonly truncated: boolean;
  readonly compress: boolean;
  /** How many of the answers, and with them of their additionals, to take. */
  readonly answerCount: number;
}

const MAX_POINTER = 0x3fff;
const MAX_TEXT = 255;
const OPTION_CLIENT_SUBNET = 8;

/** The answer to `request` as it goes on the wire. */
export function encodeResponse(request: DnsRequest, resolution: Resolution, options: EncodeOptions): Buffer {
  const writer = new Writer(options.compress);
  const answers = resolution.answers.slice(0, options.answerCount);
  const additionals = distinct(answers.flatMap((answer) => answer.additionals));
  writer.u16(request.id);
  writer.u16(flagsOf(request, resolution.rcode, options));
  writer.u16(1);
  writer.u16(answers.length);
  writer.u16(resolution.authorities.length);
  writer.u16(additionals.length + (request.edns === undefined ? 0 : 1));
  writer.name(request.question.name);
  writer.u16(request.question.type);
  writer.u16(request.question.class);
  for (const answer of answers) writeRecord(writer, answer.record);
  for (const authority of resolution.authorities) writeRecord(writer, authority);
  for (const additional of additionals) writeRecord(writer, additional);
  if (request.edns !== undefined) writeOpt(writer, request.edns);
  return writer.bytes();
}

function flagsOf(request: DnsRequest, rcode: number, options: EncodeOptions): number {
  let flags = 0x8000 | rcode;
  if (options.authoritative) flags |= 0x0400;
  if (options.truncated) flags |= 0x0200;
  if (request.recursionDesired) flags |= 0x0100;
  if (options.recursionAvailable) flags |= 0x0080;
  return flags;
}

/** Instances on one node share its records. */
function distinct(records: readonly DnsRecord[]): DnsRecord[] {
  const seen = new Map<string, DnsRecord>();
  for (const record of records) seen.set(JSON.stringify(record), record);
  return [...seen.values()];
}

/** Drops answers that repeat one before them. */
export function distinctAnswers(answers: readonly Answer[]): Answer[] {
  const seen = new Map<string, Answer>();
  for (const answer of answers) {
    const key = JSON.stringify(answer.record);
    if (!seen.has(key)) seen.set(key, answer);
  }
  return [...seen.values()];
}

function writeRecord(writer: Writer, record: DnsRecord): void {
  writer.name(record.name);
  writer.u16(TYPE[record.type]);
  writer.u16(CLASS_IN);
  writer.u32(record.ttlSeconds);
  const lengthAt = writer.length;
  writer.u16(0);
  writeData(writer, record);
  writer.patchU16(lengthAt, writer.length - lengthAt - 2);
}

function writeData(writer: Writer, record: DnsRecord): void {
  switch (record.type) {
    case 'A':
      for (const octet of record.address.split('.')) writer.u8(Number(octet));
      return;
    case 'AAAA':
      for (const group of ipv6Groups(record.address)) writer.u16(group);
      return;
    case 'CNAME':
    case 'NS':
    case 'PTR':
      writer.name(record.target);
      return;
    case 'SRV':
      writer.u16(record.priority);
      writer.u16(record.weight);
      writer.u16(record.port);
      // RFC 2782: the target is never compressed; c-ares, and with it Node and curl, refuses answers in which it is.
      writer.wholeName(record.target);
      return;
    case 'TXT':
      for (const text of record.texts) writer.text(text);
      return;
    case 'SOA':
      writer.name(record.soa.primary);
      writer.name(record.soa.mailbox);
      for (const value of [record.soa.serial, record.soa.refresh, record.soa.retry, record.soa.expire, record.soa.minTtl])
        writer.u32(value);
  }
}

function writeOpt(writer: Writer, edns: NonNullable<DnsRequest['edns']>): void {
  writer.u8(0);
  writer.u16(TYPE.OPT);
  writer.u16(edns.udpSize);
  writer.u32(0);
  if (edns.subnet === undefined) {
    writer.u16(0);
    return;
  }
  writer.u16(8 + edns.subnet.address.length);
  writer.u16(OPTION_CLIENT_SUBNET);
  writer.u16(4 + edns.subnet.address.length);
  writer.u16(edns.subnet.family);
  writer.u8(edns.subnet.sourcePrefix);
  writer.u8(0);
  for (const octet of edns.subnet.address) writer.u8(octet);
}

/** The eight groups of an IPv6 address in any of its spellings. */
export function ipv6Groups(address: string): number[] {
  if (!isIPv6(address)) return Array.from({ length: 8 }, () => 0);
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null
      ? address
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`;
  const [head = '', tail] = text.split('%')[0]?.split('::') ?? [];
  const parse = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return parse(head);
  const left = parse(head);
  const right = parse(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

/** A growing message with name compression (RFC 1035 4.1.4). */
class Writer {
  #buffer = Buffer.allocUnsafe(512);
  #length = 0;
  readonly #compress: boolean;
  readonly #names = new Map<string, number>();

  constructor(compress: boolean) {
    this.#compress = compress;
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16BE(value & 0xffff, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32BE(value >>> 0, this.#length);
  }

  patchU16(at: number, value: number): void {
    this.#buffer.writeUInt16BE(value, at);
  }

  /** At most 255 bytes, cut at that length. */
  text(value: string): void {
    const bytes = Buffer.from(value).subarray(0, MAX_TEXT);
    this.u8(bytes.length);
    this.#append(bytes);
  }

  name(name: string): void {
    this.#writeName(name, this.#compress);
  }

  /** Without a pointer in it; later names may point here. */
  wholeName(name: string): void {
    this.#writeName(name, false);
  }

  #writeName(name: string, compress: boolean): void {
    let rest = name.endsWith('.') ? name.slice(0, -1) : name;
    while (rest !== '') {
      const known = compress ? this.#names.get(rest.toLowerCase()) : undefined;
      if (known !== undefined) {
        this.u16(0xc000 | known);
        return;
      }
      if (this.#length <= MAX_POINTER && !this.#names.has(rest.toLowerCase())) this.#names.set(rest.toLowerCase(), this.#length);
      const dot = rest.indexOf('.');
      const label = Buffer.from(dot === -1 ? rest : rest.slice(0, dot)).subarray(0, 63);
      this.u8(label.length);
      this.#append(label);
      rest = dot === -1 ? '' : rest.slice(dot + 1);
    }
    this.u8(0);
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

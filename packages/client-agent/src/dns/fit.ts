import { distinctAnswers, encodeResponse, type EncodeOptions } from './encode.ts';
import { type Answer, type DnsRequest, type Resolution, TYPE } from './record.ts';

const DEFAULT_UDP_BYTES = 512;
const MAX_BYTES = 65_535;
/** However high udp_answer_limit is set, a client without EDNS gets no more (consul-facts N016). */
const MAX_UDP_ANSWERS = 8;

export interface FitOptions {
  readonly transport: 'udp' | 'tcp';
  readonly udpAnswerLimit: number;
  /** 0: no limit. */
  readonly aRecordLimit: number;
  readonly enableTruncate: boolean;
  readonly compress: boolean;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
}

/** Encodes as many answers as the limits and the size of the message allow. */
export function fitResponse(request: DnsRequest, resolution: Resolution, options: FitOptions): Buffer {
  const answers = limitAnswers(request, distinctAnswers(resolution.answers), options);
  const limited = { ...resolution, answers };
  const maxBytes = maxBytesOf(request, options.transport);
  const encode = (answerCount: number): Buffer => {
    const isCut = answerCount < resolution.answers.length;
    const encodeOptions: EncodeOptions = { ...options, truncated: options.enableTruncate && isCut, answerCount };
    return encodeResponse(request, limited, encodeOptions);
  };
  const whole = encode(answers.length);
  if (whole.length <= maxBytes) return whole;
  let fitting = 0;
  let tooMany = answers.length;
  while (tooMany - fitting > 1) {
    const middle = (fitting + tooMany) >> 1;
    if (encode(middle).length <= maxBytes) fitting = middle;
    else tooMany = middle;
  }
  return encode(fitting);
}

function limitAnswers(request: DnsRequest, answers: readonly Answer[], options: FitOptions): readonly Answer[] {
  let limited = answers;
  const isAddressQuery = request.question.type === TYPE.A || request.question.type === TYPE.AAAA || request.question.type === TYPE.ANY;
  if (options.aRecordLimit > 0 && isAddressQuery) limited = limited.slice(0, options.aRecordLimit);
  const hasLargeEdns = request.edns !== undefined && request.edns.udpSize > DEFAULT_UDP_BYTES;
  if (options.transport === 'udp' && !hasLargeEdns && options.aRecordLimit === 0) {
    limited = limited.slice(0, Math.min(options.udpAnswerLimit, MAX_UDP_ANSWERS));
  }
  return limited;
}

function maxBytesOf(request: DnsRequest, transport: FitOptions['transport']): number {
  if (transport === 'tcp') return MAX_BYTES;
  return Math.max(DEFAULT_UDP_BYTES, Math.min(request.edns?.udpSize ?? DEFAULT_UDP_BYTES, MAX_BYTES));
}

import { evaluateIntention } from '@lictor/mesh';
import { maybeParseSpiffeId } from '@lictor/pki';
import { connectAuthorizeRequest, type Intention } from '@lictor/protocol';
import type { RuntimeConfig } from '../../../contracts/index.ts';
import type { ApiDeps } from '../../deps.ts';
import { encodeJson } from '../../reply/encode-json.ts';
import { jsonReply, type Reply } from '../../reply/reply.ts';
import type { ApiRequest } from '../../request/api-request.ts';
import { refuseNamespace } from '../../request/enterprise.ts';
import { decodeFailed, decodeJson, parseJson, readJsonBytes } from '../../request/json-body.ts';
import { badRequest } from '../../request/read-options.ts';
import { requireAccess } from '../../routing/authorize.ts';
import { cacheHeaders } from '../read.ts';

/** A body that has been checked: who wants to reach whom. */
interface Question {
  readonly source: string;
  readonly destination: string;
  /** One object for one question: the cache knows its key. */
  readonly match: { readonly by: 'destination'; readonly names: readonly string[] };
}

/** Proxies ask the same again for every connection of a peer: neither the question is read nor the rules are gone through twice. */
const MAX_REMEMBERED = 1024;
const MAX_REMEMBERED_BYTES = 1024;
const questions = new Map<string, Question>();
/** By the very list that the cache gave, so that a change of the rules makes them anew; then by all else that an answer depends on. */
const answers = new WeakMap<readonly Intention[], Map<string, string>>();
const NO_INTENTIONS: readonly Intention[] = [];

/** POST /v1/agent/connect/authorize (consul-facts H065). */
export async function authorizeConnection(request: ApiRequest, deps: ApiDeps): Promise<Reply> {
  refuseNamespace(request);
  const question = readQuestion(await readJsonBytes(request));
  if (request.config.aclEnabled) await requireAccess(request, deps, 'service', 'write', question.destination);
  const { token, datacenter } = request;
  const matched = await deps.cache.get('Intention.Match', question.match, { token, datacenter });
  return jsonReply(answer(question, matched.value[0] ?? NO_INTENTIONS, request), cacheHeaders(matched));
}

function readQuestion(bytes: Buffer): Question {
  if (bytes.length > MAX_REMEMBERED_BYTES) return parseQuestion(bytes);
  const text = bytes.toString('latin1');
  const known = questions.get(text);
  if (known !== undefined) return known;
  const question = parseQuestion(bytes);
  remember(questions, text, question);
  return question;
}

function parseQuestion(bytes: Buffer): Question {
  const options = { goStruct: 'ConnectAuthorizeRequest' };
  const body = decodeJson(parseJson(bytes, decodeFailed), connectAuthorizeRequest, options, decodeFailed);
  if (body.Target === '') throw badRequest('Target service must be specified');
  const id = maybeParseSpiffeId(body.ClientCertURI);
  if (id === undefined) throw badRequest('ClientCertURI not a valid Connect identifier');
  if (id.kind !== 'service') throw badRequest('ClientCertURI not a valid Service identifier');
  return { source: id.service, destination: body.Target, match: { by: 'destination', names: [body.Target] } };
}

function answer({ source, destination }: Question, intentions: readonly Intention[], request: ApiRequest): string {
  const policy = defaultPolicy(request.config);
  let known = answers.get(intentions);
  if (known === undefined) answers.set(intentions, (known = new Map()));
  const key = `${policy.defaultVerdict}|${policy.defaultOrigin}|${request.indent}|${destination.length}|${destination}|${source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const decision = evaluateIntention({ source: { name: source }, destination, intentions, ...policy });
  const text = encodeJson({ Authorized: decision.verdict === 'allow', Reason: decision.reason }, request.indent);
  remember(known, key, text);
  return text;
}

/** Bounded: whoever floods it makes everyone compute again, no more. */
function remember<Value>(memory: Map<string, Value>, key: string, value: Value): void {
  if (memory.size >= MAX_REMEMBERED) memory.clear();
  memory.set(key, value);
}

export function defaultPolicy(config: RuntimeConfig): {
  readonly defaultVerdict: 'allow' | 'deny';
  readonly defaultOrigin: 'intention-policy' | 'acl';
} {
  if (config.defaultIntentionPolicy !== '') return { defaultVerdict: config.defaultIntentionPolicy, defaultOrigin: 'intention-policy' };
  return { defaultVerdict: config.aclDefaultPolicy, defaultOrigin: 'acl' };
}

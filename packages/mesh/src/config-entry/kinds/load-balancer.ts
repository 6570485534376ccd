import type { schema } from '@lictor/protocol';
import { quote, rejected } from '../../problems.ts';
import { flag, int, listOf, nanoseconds, pointer, struct, text } from '../../shape/index.ts';

export const loadBalancer = struct({
  Policy: text(),
  RingHashConfig: pointer(struct({ MinimumRingSize: int(), MaximumRingSize: int() })),
  LeastRequestConfig: pointer(struct({ ChoiceCount: int() })),
  HashPolicies: listOf(
    struct({
      Field: text(),
      FieldValue: text(),
      CookieConfig: pointer(struct({ Session: flag(), TTL: nanoseconds(), Path: text() })),
      SourceIP: flag(),
      Terminal: flag(),
    }),
  ),
});
export type LoadBalancer = schema.Infer<typeof loadBalancer>;

const POLICIES = ['', 'random', 'round_robin', 'least_request', 'ring_hash', 'maglev'];
const HASH_POLICIES = ['ring_hash', 'maglev'];
const HASH_FIELDS = ['header', 'cookie', 'query_parameter'];

/** @throws LictorError `rejected` */
export function validateLoadBalancer(balancer: LoadBalancer): void {
  const policy = quote(balancer.Policy);
  if (!POLICIES.includes(balancer.Policy)) throw rejected(`Bad LoadBalancer policy: ${policy} is not supported`);
  if (balancer.Policy !== 'ring_hash' && balancer.RingHashConfig !== undefined) {
    throw rejected(`Bad LoadBalancer configuration. RingHashConfig specified for incompatible load balancing policy ${policy}`);
  }
  if (balancer.Policy !== 'least_request' && balancer.LeastRequestConfig !== undefined) {
    throw rejected(`Bad LoadBalancer configuration. LeastRequestConfig specified for incompatible load balancing policy ${policy}`);
  }
  if (!HASH_POLICIES.includes(balancer.Policy) && balancer.HashPolicies.length > 0) {
    throw rejected(`Bad LoadBalancer configuration: HashPolicies specified for non-hash-based Policy: ${policy}`);
  }
  balancer.HashPolicies.forEach((hash, index) => {
    const problem = findHashPolicyProblem(hash);
    if (problem !== undefined) throw rejected(`Bad LoadBalancer HashPolicy[${index}]: ${problem}`);
  });
}

function findHashPolicyProblem(hash: LoadBalancer['HashPolicies'][number]): string | undefined {
  const field = quote(hash.Field);
  if (hash.Field !== '' && !HASH_FIELDS.includes(hash.Field)) return `${field} is not a supported field`;
  if (hash.SourceIP && hash.Field !== '') return `A single hash policy cannot hash both a source address and a ${field}`;
  if (hash.SourceIP && hash.FieldValue !== '') return 'A FieldValue cannot be specified when hashing SourceIP';
  if (hash.Field !== '' && hash.FieldValue === '') return `Field ${field} was specified without a FieldValue`;
  if (hash.FieldValue !== '' && hash.Field === '') return 'FieldValue requires a Field to apply to';
  if (hash.CookieConfig === undefined) return undefined;
  if (hash.Field !== 'cookie') return `cookie_config provided for ${field}`;
  return hash.CookieConfig.Session && hash.CookieConfig.TTL !== 0 ? 'a session cookie cannot have an associated TTL' : undefined;
}

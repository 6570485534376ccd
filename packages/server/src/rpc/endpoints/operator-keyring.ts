import { KEYRING_OPERATIONS, type KeyringOperation, type KeyringReport, LictorError, Secret } from '@lictor/protocol';
import type { LiveEndpoint, LiveEndpoints } from '../types.ts';
import { requireAccess } from './shared/acl.ts';

/** What members have answered. */
export interface KeyringAnswers {
  /** Members that were there to be asked. */
  readonly members: number;
  readonly answered: number;
  /** By member's name. */
  readonly errors: ReadonlyMap<string, string>;
  /** Base64, with the number of members. Of `list` only. */
  readonly keys: ReadonlyMap<string, number>;
  readonly primaryKeys: ReadonlyMap<string, number>;
}

/** The keys of one gossip pool, on all its members. */
export interface PoolKeyring {
  /** `key`: of all operations but `list`. @throws Error with what to change, when it was not asked at all */
  perform(operation: KeyringOperation, key: Secret, relays: number): Promise<KeyringAnswers>;
}

export interface GossipKeyrings {
  readonly lan: PoolKeyring;
  /** Undefined: there is no WAN pool. */
  readonly wan: PoolKeyring | undefined;
}

const MAX_RELAYS = 5;
const NO_ANSWERS: KeyringAnswers = { members: 0, answered: 0, errors: new Map(), keys: new Map(), primaryKeys: new Map() };

/** /v1/operator/keyring (consul-facts H130-H133). */
export function createOperatorKeyringLive(keyrings: GossipKeyrings) {
  const keyring: LiveEndpoint<'Operator.Keyring'> = async ({ operation, key, relays, wan }, { authorizer, datacenter, logger }) => {
    // What comes over the network is of any shape.
    const isKnown = KEYRING_OPERATIONS.includes(operation) && typeof key === 'string' && Number.isInteger(relays);
    if (!isKnown || relays < 0 || relays > MAX_RELAYS) throw new LictorError('invalid-argument', 'unknown operation on gossip keys');
    requireAccess(authorizer, 'keyring', '', operation === 'list' ? 'read' : 'write');
    if (operation !== 'list') logger.info('an operator changes the gossip keys', { operation });
    const secret = new Secret(key);
    const ask = async (pool: PoolKeyring, isWan: boolean): Promise<KeyringReport> => {
      const { answers, error } = await perform(pool, operation, secret, relays);
      return report(answers, error, isWan, datacenter);
    };
    const pools = [...(wan && keyrings.wan !== undefined ? [ask(keyrings.wan, true)] : []), ask(keyrings.lan, false)];
    return { index: 1, value: await Promise.all(pools) };
  };
  return { 'Operator.Keyring': keyring } satisfies LiveEndpoints;
}

/** A server by itself, without gossip: its pools have one member each, and no encryption. In Serf's words (observed: keyring). */
export function loneKeyrings(nodeName: string, datacenter: string): GossipKeyrings {
  const pool = (name: string): PoolKeyring => ({
    perform: async (operation) => {
      const text = operation === 'list' ? 'Keyring is empty (encryption not enabled)' : 'No keyring to modify (encryption not enabled)';
      return { ...NO_ANSWERS, members: 1, answered: 1, errors: new Map([[name, text]]) };
    },
  });
  return { lan: pool(nodeName), wan: pool(`${nodeName}.${datacenter}`) };
}

interface Performed {
  readonly answers: KeyringAnswers;
  readonly error: string;
}

async function perform(pool: PoolKeyring, operation: KeyringOperation, key: Secret, relays: number): Promise<Performed> {
  try {
    const answers = await pool.perform(operation, key, relays);
    return { answers, error: errorOf(answers) };
  } catch (thrown) {
    return { answers: NO_ANSWERS, error: LictorError.from(thrown).message };
  }
}

/** Empty: all did it. */
function errorOf({ members, answered, errors }: KeyringAnswers): string {
  if (errors.size > 0) return `${errors.size}/${members} nodes reported failure`;
  return answered < members ? `${answered}/${members} nodes reported success` : '';
}

function report({ members, errors, keys, primaryKeys }: KeyringAnswers, error: string, isWan: boolean, datacenter: string): KeyringReport {
  return {
    WAN: isWan,
    Datacenter: datacenter,
    Messages: Object.fromEntries(errors),
    Keys: Object.fromEntries(keys),
    PrimaryKeys: Object.fromEntries(primaryKeys),
    NumNodes: members,
    Error: error,
  };
}

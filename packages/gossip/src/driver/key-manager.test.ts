import { Secret } from '@lictor/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { Keyring } from '../keyring/index.ts';
import type { SerfQuery } from '../serf/index.ts';
import type { QueryResponse } from '../types.ts';
import { KeyManager } from './key-manager.ts';
import { KEYS, Pools } from './testing/pools.ts';

const pools = new Pools();
afterEach(() => pools.stop());

const [key = new Secret(''), other = new Secret('')] = KEYS;

describe('keys of a pool', () => {
  it('are not to be listed or changed without encryption, in Serf’s words', async () => {
    const [one] = await pools.formed(2);
    const keyring = one?.pool.keyring;
    const texts = async (result: ReturnType<NonNullable<typeof keyring>['list']> | undefined): Promise<unknown> =>
      [...((await result)?.errors ?? [])].map(([name, text]) => `${name}: ${text}`).toSorted();
    expect(await texts(keyring?.list())).toEqual([
      'n1: Keyring is empty (encryption not enabled)',
      'n2: Keyring is empty (encryption not enabled)',
    ]);
    // Nobody else is told: the key would go in plain text.
    expect(await texts(keyring?.install(key))).toEqual(['n1: No keyring to modify (encryption not enabled)']);
  });

  it('are not sent by members that do not encrypt what they send, as while encryption is being introduced', async () => {
    const [one, two] = await pools.formed(2, { keys: [key], verifyIncoming: false, verifyOutgoing: false });
    const listed = await one?.pool.keyring.list();
    expect([listed?.keys.size, listed?.errors.size]).toEqual([0, 2]);
    const installed = await one?.pool.keyring.install(other);
    expect([...(installed?.errors.values() ?? [])]).toEqual([expect.stringContaining('keys are not sent in plain text')]);
    expect(two?.pool.keyring.own().map((each) => each.reveal())).toEqual([key.reveal()]);
  });

  it('reach a member that the first query missed', async () => {
    const { keys, asked } = scripted([['a', 'b', 'd'], ['c']]);
    expect(await keys.install(other)).toMatchObject({ members: 4, answered: 4, errors: new Map() });
    expect(asked).toEqual([undefined, ['c']]);
  });

  it('are asked for once where everybody answers, and no more than twice where somebody does not', async () => {
    const prompt = scripted([['a', 'b', 'c', 'd']]);
    expect([(await prompt.keys.list()).answered, prompt.asked.length]).toEqual([4, 1]);
    const silent = scripted([['a', 'b', 'c'], []]);
    expect([(await silent.keys.list()).answered, silent.asked]).toEqual([3, [undefined, ['d']]]);
  });
});

/** Of a pool of `a` to `d`, in which those named answer to one query after the other. */
function scripted(answering: readonly (readonly string[])[]): { readonly keys: KeyManager; readonly asked: SerfQuery['nodes'][] } {
  const asked: SerfQuery['nodes'][] = [];
  const ask = async ({ nodes }: SerfQuery): Promise<readonly QueryResponse[]> => {
    asked.push(nodes);
    return (answering[asked.length - 1] ?? []).map((from) => ({ from, payload: new TextEncoder().encode('{}') }));
  };
  const ports = { name: () => 'a', alive: () => ['a', 'b', 'c', 'd'], onChanged: undefined, sealsOutgoing: true };
  return { keys: new KeyManager(new Keyring([key]), { ask }, ports), asked };
}

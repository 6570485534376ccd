import { Secret } from '@lictor/protocol';
import type { KeyringPool } from '@lictor/sdk';
import { CommandFailure, defineApiCommand, failing } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { loadDataSource } from '../framework/data-source.ts';
import { booleanFlag, integerFlag, stringFlag } from '../framework/flag-types.ts';
import { type Io, print } from '../framework/io.ts';

const MAX_RELAYS = 5;
const DOING = {
  list: 'Gathering installed encryption keys...',
  'list-primary': 'Gathering installed primary encryption keys...',
  install: 'Installing new gossip encryption key...',
  use: 'Changing primary gossip encryption key...',
  remove: 'Removing gossip encryption key...',
} as const;
const ACTIONS = ['list', 'list-primary', 'install', 'use', 'remove'] as const;

export const command = defineApiCommand({
  synopsis: 'Manages gossip layer encryption keys',
  usage: `
Usage: {program} keyring [options]

  Shows or changes the keys that encrypt gossip, in the LAN pools of all
  datacenters and in the WAN pool. To rotate without losing anybody: -install the
  new key, -use it, -remove the old one, each once all members have answered.
  Ends with 1 when a member did not do it, or did not answer. A key may be @FILE, or
  - for standard input: other users of the machine see arguments.

      $ {program} keygen > next && {program} keyring -install @next
`,
  flags: {
    list: booleanFlag('Show the installed keys, and how many members have each.'),
    'list-primary': booleanFlag('Show the keys that members send with.'),
    install: stringFlag('Give this key to all members. They send with another one still.', '', 'key'),
    use: stringFlag('Have all members send with this key, which must be installed.', '', 'key'),
    remove: stringFlag('Have all members forget this key, which nobody may send with.', '', 'key'),
    'relay-factor': integerFlag('Members through which each answer goes besides, 0 to 5: for networks that lose much.'),
    'local-only': booleanFlag("Ask only this datacenter's LAN pool. With -list."),
  },
  run: async ({ flags, io, help, client }) => {
    const asked = ACTIONS.filter((name) => flags[name] !== false && flags[name] !== '');
    const [action] = asked;
    if (action === undefined) throw new CommandFailure(help);
    if (asked.length > 1) throw new CommandFailure('Only a single action is allowed');
    const relayFactor = flags['relay-factor'];
    if (relayFactor < 0 || relayFactor > MAX_RELAYS)
      throw new CommandFailure('Error parsing relay factor: Relay factor must be in range: [0, 5]');
    if (flags['local-only'] && action !== 'list')
      throw new CommandFailure('Error validating local-only: local-only can only be set for list requests');
    const { operator } = client();
    print(io, `==> ${DOING[action]}`);
    const options = { relayFactor };
    await failing('error', async () => {
      if (action === 'install') return operator.installKey(await readKey(flags.install, io), options);
      if (action === 'use') return operator.useKey(await readKey(flags.use, io), options);
      if (action === 'remove') return operator.removeKey(await readKey(flags.remove, io), options);
      const pools = await operator.keyring({ ...options, localOnly: flags['local-only'] });
      for (const pool of pools) print(io, describePool(pool, action === 'list' ? pool.Keys : pool.PrimaryKeys));
    });
    return EXIT.ok;
  },
});

/** No key in base64 begins with @ or is a dash. */
async function readKey(argument: string, io: Io): Promise<Secret> {
  return new Secret(
    Buffer.from(await loadDataSource(argument, io))
      .toString('utf8')
      .trim(),
  );
}

/** The blank line before each pool is Consul's. */
function describePool({ WAN, Datacenter, Segment, Messages, NumNodes }: KeyringPool, keys: KeyringPool['Keys']): string {
  const name = WAN ? 'WAN' : `${Datacenter} (LAN)`;
  const messages = Object.entries(Messages ?? {}).map(([from, text]) => `  ===> ${from}: ${text}`);
  const counts = Object.entries(keys ?? {}).map(([key, count]) => `  ${key} [${count}/${NumNodes}]`);
  return ['', `${name}${Segment === '' ? '' : ` [${Segment}]`}:`, ...messages, ...counts].join('\n');
}

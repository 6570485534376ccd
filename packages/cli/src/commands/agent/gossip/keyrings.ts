import type { GossipPool } from '@lictor/gossip';
import type { GossipKeyrings, PoolKeyring } from '@lictor/server';

/** The keys of this server's pools, as its operators change them. */
export function keyringsOf(lan: GossipPool, wan: GossipPool | undefined): GossipKeyrings {
  return { lan: keyringOf(lan), wan: wan === undefined ? undefined : keyringOf(wan) };
}

function keyringOf({ keyring }: GossipPool): PoolKeyring {
  return {
    perform: async (operation, key, relays) => {
      if (operation === 'list') return keyring.list({ relays });
      if (operation === 'install') return keyring.install(key, { relays });
      return operation === 'use' ? keyring.use(key, { relays }) : keyring.remove(key, { relays });
    },
  };
}

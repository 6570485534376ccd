import type { CommandTable } from '../framework/table.ts';

/** Every subcommand. Loading is lazy: `kv put` must not pay for the agent. */
export const commandTable: CommandTable = {
  kv: { synopsis: 'Interact with the key-value store', load: () => import('./kv/index.ts') },
  'kv delete': { synopsis: 'Removes data from the KV store', load: () => import('./kv/delete.ts') },
  'kv export': { synopsis: 'Exports a tree from the KV store as JSON', load: () => import('./kv/export.ts') },
  'kv get': { synopsis: 'Retrieves or lists data from the KV store', load: () => import('./kv/get.ts') },
  'kv import': { synopsis: 'Imports a tree stored as JSON to the KV store', load: () => import('./kv/import.ts') },
  'kv put': { synopsis: 'Sets or updates data in the KV store', load: () => import('./kv/put.ts') },
};

import { homedir } from 'node:os';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Halves the start of a short command. Under the user's own folder, never the shared temporary one: what lies there is run as code.
enableCompileCache(process.env.NODE_COMPILE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'lictor', 'compile'));

const { main } = await import('./process.ts');
await main();

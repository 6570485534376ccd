import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// Halves the start of a short command. Under the user's own folder, never the shared temporary one: what lies there is run as code.
try {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  enableCompileCache(process.env.NODE_COMPILE_CACHE || join(caches, 'lictor', 'compile'));
} catch {
  // A user without a home, as containers have them: slower, and no matter.
}

const { main } = await import('./process.ts');
await main();

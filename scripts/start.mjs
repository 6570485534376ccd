// `npm start`: install, build, and the main job in one terminal.
import { join } from 'node:path';
import { build, handOver, install, pinnedNode, ROOT } from './lib/runtime.mjs';

install();
build();
handOver(pinnedNode(), [join(ROOT, 'scripts', 'demo.mjs'), ...process.argv.slice(2)]);

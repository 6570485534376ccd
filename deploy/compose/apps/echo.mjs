// Answers with what it was sent. It knows nothing of the mesh: only its node's sidecar can reach it.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  if (request.url === '/health') response.end('ok\n');
  else request.pipe(response);
});
server.listen(9090, '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Instead of `body`, as it is. */
  readonly text?: string;
}

export interface FakeAgent {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** `METHOD path?query`, with the body behind a blank when there is one. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * Answers by method and path, as recorded from real agents, and notes what was asked. Good for arguments and rendering only: what
 * a real agent does with the requests is shown by the replay in the conformance package.
 */
export async function startFakeAgent(answers: Readonly<Record<string, Answer>>): Promise<FakeAgent> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const target = `${request.method} ${request.url}`;
      requests.push(body === '' ? target : `${target} ${body}`);
      const answer = answers[target] ?? answers[target.split('?')[0] ?? ''];
      response.writeHead(answer?.status ?? (answer === undefined ? 404 : 200), { 'x-consul-index': '10', ...answer?.headers });
      response.end(answer?.text ?? (answer?.body === undefined ? '' : JSON.stringify(answer.body)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

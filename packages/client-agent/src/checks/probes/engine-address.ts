import type { RequestOptions } from 'node:http';

/** Where the container engine is when `DOCKER_HOST` does not say. */
const DEFAULT_HOST = process.platform === 'win32' ? 'npipe:////./pipe/docker_engine' : 'unix:///var/run/docker.sock';

export interface EngineAddress {
  readonly target: Pick<RequestOptions, 'socketPath' | 'host' | 'port'>;
  /** Goes before every path. */
  readonly basePath: string;
}

/** Of a value as `DOCKER_HOST` has it: `unix://PATH`, `npipe://PATH`, `tcp://HOST:PORT[/PATH]`; empty: the default. @throws Error for anything else */
export function parseEngineAddress(text: string): EngineAddress {
  const host = text === '' ? DEFAULT_HOST : text;
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === 'unix' || scheme === 'npipe') return { target: { socketPath: rest }, basePath: '' };
  if (scheme !== 'tcp' || !URL.canParse(`http://${rest}`)) throw new Error(`unable to parse docker host \`${host}\``);
  const { hostname, port, pathname } = new URL(`http://${rest}`);
  const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 80 : port) };
  return { target, basePath: pathname.replace(/\/$/, '') };
}

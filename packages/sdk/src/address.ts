import { ConfigurationError } from './errors.ts';

/** Where the agent's HTTP API is. */
export interface Address {
  /** `http://127.0.0.1:8500`; for a socket, a stand-in host. */
  readonly origin: string;
  /** Of a reverse proxy in front of the agent, without the trailing slash; usually empty. */
  readonly pathPrefix: string;
  /** Unix domain socket to connect to instead. */
  readonly socketPath?: string;
  /** `127.0.0.1:8500` or the socket's path, as error texts show it. */
  readonly display: string;
}

export const DEFAULT_ADDRESS = '127.0.0.1:8500';
const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+(%25[\w.-]+)?\]|[^\s:/?#@[\]]+)(:\d{1,5})?$/;

/**
 * Takes `host:port`, `http://host:port[/prefix]`, `https://...` and `unix:///path`. A scheme can turn TLS on, never off:
 * `forceTls` (CONSUL_HTTP_SSL) wins over `http://`.
 * @throws ConfigurationError
 */
export function parseAddress(text: string, forceTls = false): Address {
  const separator = text.indexOf('://');
  const scheme = separator < 0 ? '' : text.slice(0, separator);
  const rest = separator < 0 ? text : text.slice(separator + 3);
  if (scheme === 'unix') {
    if (rest === '') throw new ConfigurationError('a unix:// address needs a path');
    return { origin: `${forceTls ? 'https' : 'http'}://localhost`, pathPrefix: '', socketPath: rest, display: rest };
  }
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    throw new ConfigurationError(`Unknown protocol scheme: ${scheme}`);
  }
  const slash = rest.indexOf('/');
  const host = slash < 0 ? rest : rest.slice(0, slash);
  if (!HOST_AND_PORT.test(host)) throw new ConfigurationError(`invalid address ${JSON.stringify(text)}`);
  const pathPrefix = slash < 0 ? '' : rest.slice(slash).replace(/\/+$/, '');
  if (!/^[\x21-\x7e]*$/.test(pathPrefix)) throw new ConfigurationError(`invalid address ${JSON.stringify(text)}`);
  const secure = forceTls || scheme === 'https';
  return { origin: `${secure ? 'https' : 'http'}://${host}`, pathPrefix, display: host };
}

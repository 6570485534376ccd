import { readFileSync } from 'node:fs';
import { type ClientConfig, createClient, type LictorClient } from './client.ts';
import { ConfigurationError } from './errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** A client set up by Consul's CONSUL_HTTP_* variables. @throws ConfigurationError */
export function clientFromEnvironment(environment: Environment = process.env, overrides: ClientConfig = {}): LictorClient {
  return createClient({ ...configFromEnvironment(environment), ...overrides });
}

/**
 * CONSUL_HTTP_ADDR, _TOKEN, _TOKEN_FILE (wins over _TOKEN), _AUTH, _SSL, _SSL_VERIFY, CONSUL_CACERT, CONSUL_CAPATH,
 * CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME, CONSUL_NAMESPACE, CONSUL_PARTITION. Booleans that do not parse count as unset.
 * @throws ConfigurationError
 */
export function configFromEnvironment(environment: Environment): ClientConfig {
  const text = (name: string): string => environment[name] ?? '';
  const token = text('CONSUL_HTTP_TOKEN_FILE') === '' ? text('CONSUL_HTTP_TOKEN') : readTokenFile(text('CONSUL_HTTP_TOKEN_FILE'));
  const verify = parseBool(text('CONSUL_HTTP_SSL_VERIFY'));
  return {
    address: text('CONSUL_HTTP_ADDR'),
    ssl: parseBool(text('CONSUL_HTTP_SSL')) ?? false,
    token: token || text('CONSUL_HTTP_TOKEN'),
    basicAuth: basicAuth(text('CONSUL_HTTP_AUTH')),
    namespace: text('CONSUL_NAMESPACE'),
    partition: text('CONSUL_PARTITION'),
    tls: {
      caFile: text('CONSUL_CACERT'),
      caPath: text('CONSUL_CAPATH'),
      certFile: text('CONSUL_CLIENT_CERT'),
      keyFile: text('CONSUL_CLIENT_KEY'),
      serverName: text('CONSUL_TLS_SERVER_NAME'),
      ...(verify === undefined ? {} : { verify }),
    },
  };
}

/** The token that a file holds, without surrounding blanks. @throws ConfigurationError */
export function readTokenFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const detail =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? `open ${path}: no such file or directory` : String(error);
    throw new ConfigurationError(`Error loading token file ${path} : ${detail}`, { cause: error });
  }
}

/** Go's strconv.ParseBool; undefined for anything else. */
export function parseBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

function basicAuth(text: string): string {
  return text === '' || text.includes(':') ? text : `${text}:`;
}

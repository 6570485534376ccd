import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LictorError, Secret } from '@lictor/protocol';
import type { RpcTlsMaterial } from './types.ts';
import { type ValidityPorts, warnOfValidity } from './validity.ts';

/** Empty: not given. */
export interface RpcTlsFiles {
  readonly caFile: string;
  /** A folder, looked at only without `caFile`. */
  readonly caPath: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** More than any set of CAs has. */
const MAX_CA_FILES = 1_000;

/** Reads them, and warns of a certificate that is not valid now. @throws LictorError `invalid-argument` in Consul's words */
export function loadRpcTlsFiles(files: RpcTlsFiles, ports: ValidityPorts): RpcTlsMaterial {
  const material = readFiles(files);
  warnOfValidity(material, ports);
  return material;
}

function readFiles({ caFile, caPath, certFile, keyFile }: RpcTlsFiles): RpcTlsMaterial {
  const caPems = caFile !== '' ? [readCa(caFile)] : caPath !== '' ? readFolder(caPath) : [];
  if (certFile === '' || keyFile === '') return { caPems, certPem: '', keyPem: new Secret('') };
  return { caPems, certPem: readPair(certFile), keyPem: new Secret(readPair(keyFile)) };
}

function readFolder(folder: string): readonly string[] {
  const files = attempt(
    () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    (why) => `Error loading from ${folder}: ${why}`,
  );
  const pems = files
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true)
    .slice(0, MAX_CA_FILES)
    .sort()
    .map(readCa);
  if (pems.length === 0) throw new LictorError('invalid-argument', 'Error loading from CAPath: no CAs found');
  return pems;
}

function readCa(file: string): string {
  const pem = attempt(
    () => readFileSync(file, 'utf8'),
    (why) => `Error loading from ${file}: ${why}`,
  );
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new LictorError('invalid-argument', `failed to parse PEM ${file}`);
  return pem;
}

function readPair(file: string): string {
  return attempt(
    () => readFileSync(file, 'utf8'),
    (why) => `Failed to load cert/key pair: ${why}`,
  );
}

function attempt<T>(action: () => T, message: (why: string) => string): T {
  try {
    return action();
  } catch (thrown) {
    throw new LictorError('invalid-argument', message(thrown instanceof Error ? thrown.message : String(thrown)), { cause: thrown });
  }
}

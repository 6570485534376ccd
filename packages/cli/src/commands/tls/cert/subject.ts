import { isIP } from 'node:net';
import type { ExtKeyUsage } from '@lictor/pki';
import { CommandFailure } from '../../../framework/command.ts';

/** Whom a certificate is for. */
export interface SubjectFlags {
  readonly server: boolean;
  readonly client: boolean;
  readonly cli: boolean;
  readonly dc: string;
  readonly domain: string;
  /** Of a server, empty for none in particular. */
  readonly node: string;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
}

export interface Subject {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ips: readonly string[];
  readonly extKeyUsage: readonly ExtKeyUsage[];
  /** What the files' names begin with. */
  readonly prefix: string;
}

/** @throws CommandFailure in Consul's words */
export function subjectOf(flags: SubjectFlags): Subject {
  const { server, client, cli, dc, domain, node } = flags;
  if ([server, client, cli].filter(Boolean).length !== 1) throw new CommandFailure('Please provide either -server, -client, or -cli');
  if (node !== '' && !server) throw new CommandFailure('-node requires -server');
  const role = server ? 'server' : client ? 'client' : 'cli';
  const commonName = `${role}.${dc}.${domain}`;
  const prefix = `${dc}-${role}-${domain}`;
  // People's command lines are called by nobody: no further name, and any use (tls_cert_create.go).
  if (cli) return { commonName, prefix, dnsNames: [commonName, 'localhost'], ips: [], extKeyUsage: [] };
  const given = flags.dnsNames.map((name) => name.trim()).filter((name) => name !== '');
  return {
    commonName,
    prefix,
    dnsNames: [...given, ...(node === '' ? [] : [`${node}.${commonName}`]), commonName, 'localhost'],
    ips: [
      ...flags.ips
        .map((ip) => ip.trim())
        .filter((ip) => ip !== '')
        .map(checkedIp),
      '127.0.0.1',
    ],
    extKeyUsage: server ? ['serverAuth', 'clientAuth'] : ['clientAuth', 'serverAuth'],
  };
}

function checkedIp(ip: string): string {
  if (isIP(ip) === 0 || ip.includes('%')) throw new CommandFailure(`invalid IP address: ${ip}`);
  return ip;
}

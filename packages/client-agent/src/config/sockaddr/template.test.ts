import { describe, expect, it } from 'vitest';
import type { InterfaceAddress } from './interfaces.ts';
import { expandTemplate } from './template.ts';

const entry = (name: string, address: string, isLoopback = false): InterfaceAddress => ({
  name,
  address,
  isIpv4: !address.includes(':'),
  cidr: `${address}/24`,
  isLoopback,
});
const MACHINE = [
  entry('lo', '127.0.0.1', true),
  entry('eth0', '10.0.0.5'),
  entry('eth0', 'fe80::1'),
  entry('eth1', '192.168.1.9'),
  entry('wan0', '8.8.4.4'),
];

describe('go-sockaddr templates (consul-facts K003)', () => {
  it.each([
    ['plain', 'plain'],
    ['{{ GetInterfaceIP "eth0" }}', '10.0.0.5'],
    ['{{GetInterfaceIPs "eth0"}}', '10.0.0.5 fe80::1'],
    ['{{ GetPrivateIP }}', '10.0.0.5'],
    ['{{ GetPrivateIPs }}', '10.0.0.5 192.168.1.9'],
    ['{{ GetPublicIP }}', '8.8.4.4'],
    ['{{ GetInterfaceIP "nope" }}', ''],
    ['{{ GetPrivateInterfaces | include "network" "192.168.0.0/16" | attr "address" }}', '192.168.1.9'],
    ['{{ GetAllInterfaces | include "name" "eth." | exclude "type" "IPv6" | join "address" " " }}', '10.0.0.5 192.168.1.9'],
    ['{{ GetAllInterfaces | include "RFC" "1918" | sort "-address" | limit 1 | join "address" " " }}', '192.168.1.9'],
    ['{{ GetAllInterfaces | include "flags" "forwardable|up" | offset 1 | limit 1 | attr `address` }}', '192.168.1.9'],
    ['127.0.0.1 {{ GetPublicIP }}', '127.0.0.1 8.8.4.4'],
  ])('%s', (text, expected) => {
    expect(expandTemplate(text, MACHINE)).toBe(expected);
  });

  it.each([
    ['{{ GetX }}'],
    ['{{ GetAllInterfaces | shuffle }}'],
    ['{{ GetAllInterfaces | include "moon" "x" }}'],
    ['{{ GetPrivateIP | limit 1 }}'],
    ['{{ GetPrivateIP'],
  ])('refuses %s', (text) => {
    expect(() => expandTemplate(text, MACHINE)).toThrow(Error);
  });
});

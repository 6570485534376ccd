export { createDnsHandler, type DnsDeps, type DnsHandler, type DnsTransport } from './handler.ts';
export { DnsServer } from './server.ts';

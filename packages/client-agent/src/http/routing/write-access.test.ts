import { describe, expect, it } from 'vitest';
import { createWriteAccess } from './write-access.ts';

describe('allow_write_http_from', () => {
  it('lets everyone write without a list', () => {
    expect(createWriteAccess([]).allows('203.0.113.9')).toBe(true);
  });

  it('takes IPv4 clients in both of their forms (proxy-addr CVE-2026-92395)', () => {
    const access = createWriteAccess(['127.0.0.0/8', '10.1.0.0/16']);
    expect(access.allows('127.0.0.1')).toBe(true);
    expect(access.allows('::ffff:127.0.0.1')).toBe(true);
    expect(access.allows('::FFFF:10.1.2.3')).toBe(true);
    expect(access.allows('10.2.0.1')).toBe(false);
    expect(access.allows('::ffff:10.2.0.1')).toBe(false);
  });

  it('does not let a mapped address into an IPv6 rule, nor the other way round', () => {
    const access = createWriteAccess(['::1/128', 'fd00::/8']);
    expect(access.allows('::1')).toBe(true);
    expect(access.allows('fd12::1')).toBe(true);
    expect(access.allows('::ffff:127.0.0.1')).toBe(false);
    expect(access.allows('127.0.0.1')).toBe(false);
  });

  it('reads rules written in mapped form, and single addresses', () => {
    const access = createWriteAccess(['::ffff:192.0.2.0/120', '198.51.100.7']);
    expect(access.allows('192.0.2.77')).toBe(true);
    expect(access.allows('192.0.3.1')).toBe(false);
    expect(access.allows('198.51.100.7')).toBe(true);
    expect(access.allows('198.51.100.8')).toBe(false);
  });

  it('leaves Unix sockets to their file mode', () => {
    expect(createWriteAccess(['127.0.0.0/8']).allows(undefined)).toBe(true);
  });
});

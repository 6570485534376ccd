import { describe, expect, it } from 'vitest';
import { joinHostPort, parseHostPort, parseHostPortOr, splitHostPort } from './host-port.ts';

describe('addresses', () => {
  it('are joined and split as Go’s net package does', () => {
    expect([joinHostPort('::1', 80), joinHostPort('h', 80)]).toEqual(['[::1]:80', 'h:80']);
    expect(splitHostPort('[::1]:80')).toEqual({ host: '::1', port: '80' });
    expect(splitHostPort('h:http')).toEqual({ host: 'h', port: 'http' });
    expect(splitHostPort('h')).toBe('address h: missing port in address');
    expect(splitHostPort('[::1]')).toBe('address [::1]: missing port in address');
    expect(splitHostPort('::1:80')).toBe('address ::1:80: too many colons in address');
  });

  it('have a port that is a number of 16 bits', () => {
    expect(parseHostPort('h:65535')).toEqual({ host: 'h', port: 65_535 });
    expect(parseHostPort(':80')).toEqual({ host: '', port: 80 });
    for (const text of ['h', 'h:', 'h:65536', 'h:-1', 'h:1e3', 'h: 80', '::1', '[::1]', 'a:b:1'])
      expect(parseHostPort(text), text).toBeUndefined();
  });

  it.each([
    ['h', { host: 'h', port: 8301 }],
    ['h:80', { host: 'h', port: 80 }],
    ['::1', { host: '::1', port: 8301 }],
    ['[::1]', { host: '::1', port: 8301 }],
    ['[::1]:80', { host: '::1', port: 80 }],
  ])('get a default port where they have none: %s', (text, expected) => {
    expect(parseHostPortOr(text, 8301)).toEqual(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { parseAddress } from './address.ts';
import { ConfigurationError } from './errors.ts';

describe('addresses (consul-facts section 3: CONSUL_HTTP_ADDR)', () => {
  it('takes host and port', () => {
    expect(parseAddress('127.0.0.1:8500')).toEqual({ origin: 'http://127.0.0.1:8500', pathPrefix: '', display: '127.0.0.1:8500' });
    expect(parseAddress('[::1]:8500').origin).toBe('http://[::1]:8500');
  });

  it('takes a scheme and a path prefix', () => {
    expect(parseAddress('https://consul.example:8501')).toMatchObject({ origin: 'https://consul.example:8501', pathPrefix: '' });
    expect(parseAddress('http://proxy.example/consul/')).toMatchObject({ origin: 'http://proxy.example', pathPrefix: '/consul' });
  });

  it('takes a unix socket', () => {
    expect(parseAddress('unix:///run/consul.sock')).toMatchObject({ origin: 'http://localhost', socketPath: '/run/consul.sock' });
  });

  it('never turns TLS off again', () => {
    expect(parseAddress('http://consul.example:8501', true).origin).toBe('https://consul.example:8501');
  });

  it.each(['ftp://x', 'unix://', 'a b:1', 'x:notaport', 'user@host:1', 'http://', 'h:1\r\nx', 'http://h/a b'])('refuses %j', (text) => {
    expect(() => parseAddress(text)).toThrow(ConfigurationError);
  });
});

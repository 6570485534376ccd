import { expect, it } from 'vitest';
import { enrollAddresses } from './enroll-addresses.ts';

it('asks all addresses of retry_join, at the port of servers', async () => {
  const names: Readonly<Record<string, readonly string[]>> = {
    'servers.example': ['192.0.2.1', '192.0.2.2'],
    '192.0.2.2': ['192.0.2.2'],
    '::1': ['::1'],
  };
  const resolve = (host: string): Promise<readonly string[]> => {
    const found = names[host];
    return found === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(found);
  };
  const join = ['servers.example:8301', '192.0.2.2', 'gone.example', '[::1]:8301', 'servers.example', 'provider=aws secret_access_key=x'];
  expect(await enrollAddresses({ join, serverPort: 8300, resolve })).toEqual(['192.0.2.1:8300', '192.0.2.2:8300', '[::1]:8300']);
});

import { describe, expect, it } from 'vitest';
import { createRefusingLookup, isLinkLocal } from './lookup.ts';

const METADATA = { address: '169.254.169.254', family: 4 };
const GOOD = { address: '10.0.0.1', family: 4 };

function lookup(answers: readonly { readonly address: string; readonly family: number }[], all = false): Promise<unknown> {
  return new Promise((resolve) => {
    createRefusingLookup((_hostname, _options, callback) => callback(null, answers))('name', { all }, (error, address) =>
      resolve(error ?? address),
    );
  });
}

describe('CVE-2022-29153: names that lead to a metadata service', () => {
  it('are refused when they lead nowhere else', async () => {
    expect(await lookup([METADATA])).toMatchObject({ message: expect.stringContaining('name is a link-local address') });
  });

  it('keep their other addresses', async () => {
    expect(await lookup([METADATA, GOOD])).toBe('10.0.0.1');
    expect(await lookup([METADATA, GOOD], true)).toEqual([GOOD]);
  });

  it.each(['169.254.0.1', 'fe80::1', 'FEBF::1', '::ffff:169.254.169.254', 'fd00:ec2::254'])('%s is link-local', (address) => {
    expect(isLinkLocal(address)).toBe(true);
  });

  it.each(['127.0.0.1', '10.0.0.1', '169.253.0.1', '2001:db8::1', 'localhost'])('%s is not', (address) => {
    expect(isLinkLocal(address)).toBe(false);
  });
});

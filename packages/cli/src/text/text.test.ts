import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from './base64.ts';
import { formatBytes } from './bytes.ts';
import { columnize, tabulate } from './columns.ts';
import { formatRfc850 } from './dates.ts';
import { parseGoJson } from './go-json.ts';
import { sortMaps } from './go-maps.ts';

describe('tables', () => {
  it('are columns two blanks apart (observed: catalog nodes)', () => {
    const rows = [
      ['Node', 'ID', 'Address', 'DC'],
      ['obs', '2e44e1f1', '127.0.0.1', 'dc1'],
    ];
    expect(columnize(rows)).toBe('Node  ID        Address    DC\nobs   2e44e1f1  127.0.0.1  dc1');
  });

  it('leave no blanks behind empty last cells', () => {
    expect(
      columnize([
        ['a', ''],
        ['bb', 'c'],
      ]),
    ).toBe('a\nbb  c');
  });

  it('pad runs of lines like tabwriter (observed: catalog services -tags)', () => {
    const text = 'api\t\nconsul\t\ndb\ta,b\nweb-sidecar-proxy\t\n';
    expect(tabulate(text, 6).trim()).toBe(
      'api                    \nconsul                 \ndb                     a,b\nweb-sidecar-proxy',
    );
  });

  it('measure each run of lines by itself (observed: snapshot inspect)', () => {
    expect(tabulate(' ID\tx\n Version\t1\n\n Type\tCount\tSize\n Total\t\t6KB', 6, 8)).toBe(
      ' ID           x\n Version      1\n\n Type       Count      Size\n Total                 6KB',
    );
  });
});

describe('base 64', () => {
  it('decodes what Node encodes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const decoded = decodeBase64(Buffer.from(bytes).toString('base64'));
        expect([decoded.ok, [...decoded.bytes]]).toEqual([true, [...bytes]]);
      }),
    );
  });

  it.each([
    ['!!', 0],
    ['aGk', 0],
    ['aGk=aGk=', 4],
    ['aG=', 3],
    ['aG=x', 2],
    ['a===', 1],
    ['aGkh!', 4],
  ])('refuses %j at the byte where Go does', (text, offset) => {
    expect(decodeBase64(text)).toMatchObject({ ok: false, message: `illegal base64 data at input byte ${offset}` });
  });

  it('skips line breaks', () => {
    expect(Buffer.from(decodeBase64('aG\r\nk=\n').bytes).toString()).toBe('hi');
  });
});

describe('JSON errors', () => {
  it.each([
    ['bogus', "invalid character 'b' looking for beginning of value"],
    ['', 'unexpected end of JSON input'],
    ['[1', 'unexpected end of JSON input'],
    ['[] x', "invalid character 'x' after top-level value"],
  ])('%j: %s', (text, message) => {
    expect(() => parseGoJson(text)).toThrow(message);
  });
});

describe('small texts', () => {
  it('shows sizes as Consul does (observed: snapshot inspect)', () => {
    expect([0, 12, 848, 1024, 2236, 7081, 5 * 1024 ** 3].map(formatBytes)).toEqual(['0', '12B', '848B', '1KB', '2.2KB', '6.9KB', '5GB']);
  });

  it('shows times as RFC 850', () => {
    expect(formatRfc850('2026-11-21T05:49:39Z')).toMatch(/^[A-Z][a-z]+day, 2[012]-Nov-26 \d\d:\d\d:\d\d \S+$/);
    expect(formatRfc850(undefined)).toBe('Monday, 01-Jan-01 00:00:00 UTC');
  });

  it('sorts the keys of maps and leaves those of structs', () => {
    const node = { Node: 'a', Address: 'b', Meta: { z: '1', a: '2' } };
    expect(JSON.stringify(sortMaps([node]))).toBe('[{"Node":"a","Address":"b","Meta":{"a":"2","z":"1"}}]');
    expect(JSON.stringify(sortMaps({ web: [], api: [] }, true))).toBe('{"api":[],"web":[]}');
  });
});

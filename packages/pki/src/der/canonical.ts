import asn1 from 'node-forge/lib/asn1.js';
import { DerReader, malformed } from './reader.ts';
import { isConstructed } from './tags.ts';

/** Certificates and requests nest about nine deep. */
const MAX_DEPTH = 16;

/**
 * Makes sure that `bytes` is one element whose encoding is canonical by two parsers that share no code: our strict reader walks it with
 * a depth cap (CVE-2025-66031), then forge reads it and writes the very same bytes again (CVE-2025-12816).
 * @throws PkiError invalid-der
 */
export function checkCanonical(bytes: Buffer): void {
  const reader = new DerReader(bytes);
  walk(reader, 1, true);
  const input = bytes.toString('latin1');
  let again: string;
  try {
    const value = asn1.fromDer(input, { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: MAX_DEPTH * 2 });
    again = asn1.toDer(value).getBytes();
  } catch {
    throw malformed('not readable by the second parser');
  }
  if (again !== input) throw malformed('not canonical');
}

function walk(reader: DerReader, depth: number, isRoot: boolean): void {
  if (depth > MAX_DEPTH) throw malformed('nested too deep');
  do {
    const element = reader.readAny();
    if (isRoot) reader.end();
    if (isConstructed(element.tag) && element.content.length > 0) walk(new DerReader(element.content), depth + 1, false);
  } while (!reader.isAtEnd);
}

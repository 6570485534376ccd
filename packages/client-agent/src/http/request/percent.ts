const PERCENT = 0x25;
const PLUS = 0x2b;

/**
 * Undoes percent-encoding (RFC 3986 section 2.1). Node hands over request targets as Latin-1, one character a byte, so raw bytes above
 * 0x7f are read as UTF-8 too. Undefined when an escape is malformed or the bytes are not UTF-8: two keys must never look like one.
 */
export function percentDecode(text: string, plusIsSpace: boolean): string | undefined {
  if (isPlain(text, plusIsSpace)) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === PERCENT) {
      const high = hexDigit(text.charCodeAt(position + 1));
      const low = hexDigit(text.charCodeAt(position + 2));
      if (high < 0 || low < 0) return undefined;
      bytes[length++] = high * 16 + low;
      position += 2;
    } else if (code === PLUS && plusIsSpace) {
      bytes[length++] = 0x20;
    } else if (code > 0xff) {
      return undefined;
    } else {
      bytes[length++] = code;
    }
  }
  return decodeUtf8(bytes.subarray(0, length));
}

function isPlain(text: string, plusIsSpace: boolean): boolean {
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === PERCENT || code > 0x7f || (plusIsSpace && code === PLUS)) return false;
  }
  return true;
}

/** The digit's value, or -1 (for NaN behind the end as well). */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

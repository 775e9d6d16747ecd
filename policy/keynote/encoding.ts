/** The ASCII encodings of keys and signatures (RFC 2792 3 and 4). */
export type Encoding = 'hex' | 'base64';

/** Why octets could not be decoded: no text of this shape encodes any, or a hex digit is none. */
export type DecodingFailure = 'shape' | 'digit';

const WHITE = /[\t-\r ]+/g;

/**
 * Either case of hex digits; base64 with its padding, and white space in it skipped, as the recorded
 * implementation reads them. Unused bits of the last base64 digit are not looked at.
 */
export function decode(text: string, encoding: Encoding): Buffer | DecodingFailure {
  if (encoding === 'hex') {
    if (text.length % 2 !== 0) return 'shape';
    const octets = Buffer.from(text, 'hex');
    return octets.length * 2 === text.length ? octets : 'digit';
  }
  if (text.length % 4 !== 0) return 'shape';
  // Buffer skips what is no digit and takes base64url too: the shape is checked first.
  const digits = text.includes(' ') || text.includes('\n') ? text.replace(WHITE, '') : text;
  if (digits.length % 4 !== 0 || !BASE64.test(digits)) return 'shape';
  return Buffer.from(digits, 'base64');
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function encode(octets: Uint8Array, encoding: Encoding): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString(encoding);
}

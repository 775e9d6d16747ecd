import { isIP } from 'node:net';
import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from '../../rsvp/wire/address.js';

/** The nth address of a prefix, with its length: `hostIn('10.0.0.0/24', 1)` is `10.0.0.1/24`; undefined: there is no room. */
export function hostIn(prefix: string, n: number): string | undefined {
  const [base = '', lengthText] = prefix.split('/');
  const bits = isIP(base) === 4 ? 32 : 128;
  const length = lengthText === undefined ? bits : Number(lengthText);
  if (bits - length < 2) return undefined;
  if (bits === 32) {
    const mask = (0xffff_ffff << (32 - length)) >>> 0;
    return `${ipv4Text((((ipv4Number(base) ?? 0) & mask) >>> 0) + n)}/${length}`;
  }
  const octets = Uint8Array.from(ipv6Octets(base) ?? []);
  for (let bit = length; bit < 128; bit++)
    (octets[bit >> 3] as number) &&= (octets[bit >> 3] ?? 0) & ~(0x80 >> (bit & 7));
  octets[15] = (octets[15] ?? 0) | n;
  return `${ipv6Text(octets)}/${length}`;
}

/** `10.0.0.1/24` is in `10.0.0.0/24`. */
export function networkOf(address: string): string {
  const network = hostIn(address, 0);
  return network ?? address;
}

export function withoutLength(address: string): string {
  return address.split('/')[0] ?? address;
}

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

import { u16, u32 } from './octets.js';

/** An IPv4 address at a place in octets, dotted decimal. */
export function ipv4Text(octets: Uint8Array, at: number): string {
  return dotted(u32(octets, at));
}

/** An IPv6 address at a place in octets, as RFC 5952 writes it. */
export function ipv6Text(octets: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push(u16(octets, at + 2 * i));
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return `::ffff:${ipv4Text(octets, at + 12)}`;
  const [start, length] = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  let start = 0;
  for (let i = 0; i < groups.length; i++) {
    if (groups[i] !== 0) start = i + 1;
    else if (i + 1 - start > best[1]) best = [start, i + 1 - start];
  }
  return best;
}

function dotted(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/**
 * The octets of an address: 4 or 16 of them.
 * @throws {RangeError} where the text is no address
 */
export function parseAddress(text: string): Uint8Array {
  const octets = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (octets === undefined) throw new RangeError(`\`${text}\` is not an IP address`);
  return octets;
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return undefined;
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const dottedTail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dottedTail !== null) {
    const tail = parseIpv4(dottedTail[2] ?? '');
    if (tail === undefined) return undefined;
    return parseIpv6(`${dottedTail[1] ?? ''}${u16(tail, 0).toString(16)}:${u16(tail, 2).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >>> 8, parseInt(group, 16) & 255]));
}

/** How many texts are kept before the book is begun anew. */
const PAGES = 1 << 14;

/**
 * Texts of addresses: a capture has few addresses and many packets. What a book remembers is bounded.
 */
export class AddressBook {
  readonly #v4 = new Map<number, string>();

  ipv4(octets: Uint8Array, at: number): string {
    const word = u32(octets, at);
    const known = this.#v4.get(word);
    if (known !== undefined) return known;
    if (this.#v4.size >= PAGES) this.#v4.clear();
    const text = dotted(word);
    this.#v4.set(word, text);
    return text;
  }

  ipv6(octets: Uint8Array, at: number): string {
    return ipv6Text(octets, at);
  }
}

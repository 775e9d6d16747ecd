import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from '../wire/address.js';
import { putU32, u32 } from './octets.js';

/**
 * The octets of an address: 4 or 16 of them.
 * @throws {RangeError} where the text is no address
 */
export function parseAddress(text: string): Uint8Array {
  const octets = text.includes(':') ? ipv6Octets(text) : ipv4Octets(text);
  if (octets === undefined) throw new RangeError(`\`${text}\` is not an IP address`);
  return octets;
}

function ipv4Octets(text: string): Uint8Array | undefined {
  const number = ipv4Number(text);
  if (number === undefined) return undefined;
  const octets = new Uint8Array(4);
  putU32(octets, 0, number);
  return octets;
}

/** The text of 4 or 16 octets; IPv6 as RFC 5952 writes it. */
export function addressText(octets: Uint8Array): string {
  return octets.length === 4 ? ipv4Text(u32(octets, 0)) : ipv6Text(octets);
}

/** How many texts are kept before the book is begun anew. */
const PAGES = 1 << 14;

/** Texts of addresses: a capture has few addresses and many packets. What a book remembers is bounded. */
export class AddressBook {
  readonly #v4 = new Map<number, string>();
  /** By the last 32 bits, which differ most; the whole address is compared. */
  readonly #v6 = new Map<number, { readonly words: readonly number[]; readonly text: string }>();

  ipv4(octets: Uint8Array, at: number): string {
    const word = u32(octets, at);
    const known = this.#v4.get(word);
    if (known !== undefined) return known;
    if (this.#v4.size >= PAGES) this.#v4.clear();
    const text = ipv4Text(word);
    this.#v4.set(word, text);
    return text;
  }

  ipv6(octets: Uint8Array, at: number): string {
    const last = u32(octets, at + 12);
    const known = this.#v6.get(last);
    if (
      known?.words[0] === u32(octets, at) &&
      known.words[1] === u32(octets, at + 4) &&
      known.words[2] === u32(octets, at + 8)
    ) {
      return known.text;
    }
    if (this.#v6.size >= PAGES) this.#v6.clear();
    const text = ipv6Text(octets.subarray(at, at + 16));
    this.#v6.set(last, { words: [u32(octets, at), u32(octets, at + 4), u32(octets, at + 8)], text });
    return text;
  }
}

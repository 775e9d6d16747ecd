import { ipv4Number, ipv6Octets } from '../wire/address.js';

/** A prefix of addresses, as `10.0.0.0/8` or a single address. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly bits: bigint;
  readonly length: number;
}

/** Undefined where it is none. */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const parsed = parseAddress(address);
  if (parsed === undefined || rest.length > 0) return undefined;
  const size = parsed.family === 4 ? 32 : 128;
  if (length === undefined) return { ...parsed, length: size };
  if (!/^\d{1,3}$/.test(length) || Number(length) > size) return undefined;
  return { family: parsed.family, bits: masked(parsed.bits, size, Number(length)), length: Number(length) };
}

/** Values by prefix, found by the longest one that holds an address. */
export class PrefixTable<Value> {
  /** By length, longest first where it is searched. */
  readonly #lengths = { 4: new Map<number, Map<bigint, Value>>(), 6: new Map<number, Map<bigint, Value>>() };
  #order: Record<4 | 6, number[]> | undefined;

  /** What is there of exactly this prefix. */
  at({ family, bits, length }: Prefix): Value | undefined {
    return this.#lengths[family].get(length)?.get(bits);
  }

  set({ family, bits, length }: Prefix, value: Value): void {
    const lengths = this.#lengths[family];
    let prefixes = lengths.get(length);
    if (prefixes === undefined) {
      lengths.set(length, (prefixes = new Map<bigint, Value>()));
      this.#order = undefined;
    }
    prefixes.set(bits, value);
  }

  find(address: string): Value | undefined {
    const parsed = parseAddress(address);
    if (parsed === undefined) return undefined;
    const { family, bits } = parsed;
    this.#order ??= { 4: descending(this.#lengths[4].keys()), 6: descending(this.#lengths[6].keys()) };
    for (const length of this.#order[family]) {
      const value = this.#lengths[family].get(length)?.get(masked(bits, family === 4 ? 32 : 128, length));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

function parseAddress(text: string): { family: 4 | 6; bits: bigint } | undefined {
  const number = ipv4Number(text);
  if (number !== undefined) return { family: 4, bits: BigInt(number) };
  const octets = ipv6Octets(text);
  if (octets === undefined) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, 16);
  return { family: 6, bits: (view.getBigUint64(0) << 64n) | view.getBigUint64(8) };
}

function masked(bits: bigint, size: number, length: number): bigint {
  const host = BigInt(size - length);
  return (bits >> host) << host;
}

function descending(lengths: Iterable<number>): number[] {
  return [...lengths].sort((a, b) => b - a);
}

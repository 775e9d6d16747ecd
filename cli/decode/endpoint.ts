import { addressText, parseAddress } from '../../rsvp/capture/index.js';

/** `ADDRESS`, `ADDRESS:PORT`, `[V6]:PORT`, each with `/PROTOCOL` behind it if wanted. */
export interface Endpoint {
  /** As the decoder writes it, whatever form it was given in. */
  readonly address: string;
  readonly port: number | undefined;
  readonly protocol: string | undefined;
}

/** @throws {RangeError} where it is none */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([^\]]+)\]|([^/:]+)|([^/]*:[^/]*:[^/]*))(?::(\d{1,5}))?(?:\/(\w+))?$/.exec(text);
  const given = match?.[1] ?? match?.[2] ?? match?.[3];
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  if (given === undefined || (port !== undefined && port > 65_535)) {
    throw new RangeError(`\`${text}\` is not ADDRESS, ADDRESS:PORT or ADDRESS:PORT/PROTOCOL`);
  }
  return { address: addressText(parseAddress(given)), port, protocol: match?.[5] };
}

export interface Network {
  readonly octets: Uint8Array;
  readonly bits: number;
}

/** @throws {RangeError} where it is neither an address nor a network */
export function parseNetwork(text: string): Network {
  const [address = '', length] = text.split('/');
  const octets = parseAddress(address);
  const bits = length === undefined ? octets.length * 8 : Number(length);
  if (!Number.isInteger(bits) || length === '' || bits < 0 || bits > octets.length * 8) {
    throw new RangeError(`\`${text}\` is not an address or a network`);
  }
  return { octets, bits };
}

export function ipAddressIn(address: string, { octets, bits }: Network): boolean {
  const own = parseAddress(address);
  if (own.length !== octets.length) return false;
  return own.every((octet, i) => {
    const counted = Math.min(8, Math.max(0, bits - 8 * i));
    const mask = (0xff00 >> counted) & 0xff;
    return ((octet ^ (octets[i] ?? 0)) & mask) === 0;
  });
}

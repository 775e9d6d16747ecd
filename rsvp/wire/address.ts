/** IP addresses as text. The octets come from a checked place; the text comes from people. */

const OCTET = Array.from({ length: 256 }, (_, n) => String(n));
const OCTET_DOT = OCTET.map((text) => `${text}.`);

/** Addresses repeat: texts lately made, by the low bits of the address. It never grows. */
const RECENT = 1024;
const recentAddress = new Uint32Array(RECENT);
const recentText = new Array<string>(RECENT).fill('0.0.0.0');

/** `10.0.0.1` of 0x0a000001. This is in the path of every message decoded. */
export function ipv4Text(address: number): string {
  const slot = address & (RECENT - 1);
  if (recentAddress[slot] === address) return recentText[slot] as string;
  const text =
    (OCTET_DOT[address >>> 24] as string) +
    (OCTET_DOT[(address >>> 16) & 0xff] as string) +
    (OCTET_DOT[(address >>> 8) & 0xff] as string) +
    (OCTET[address & 0xff] as string);
  recentAddress[slot] = address;
  recentText[slot] = text;
  return text;
}

/** 0x0a000001 of `10.0.0.1`; undefined where it is not four decimal numbers below 256. */
export function ipv4Number(text: string): number | undefined {
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return undefined;
    } else if (digit === -2 && octet >= 0 && dots < 3) {
      address = address * 256 + octet;
      octet = -1;
      dots++;
    } else return undefined;
  }
  return dots === 3 && octet >= 0 ? address * 256 + octet : undefined;
}

/** RFC 5952 form: lower case, the longest run of two or more zero groups as `::`. */
export function ipv6Text(octets: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((octets[i] ?? 0) << 8) | (octets[i + 1] ?? 0));
  let best = { start: 0, size: 1 };
  for (let start = 0; start < 8; start++) {
    let size = 0;
    while (start + size < 8 && groups[start + size] === 0) size++;
    if (size > best.size) best = { start, size };
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.size < 2) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.size))}`;
}

export function ipv6Octets(text: string): Uint8Array | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted !== null) {
    const tail = ipv4Number(dotted[2] as string);
    if (tail === undefined) return undefined;
    return ipv6Octets(`${dotted[1] as string}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}

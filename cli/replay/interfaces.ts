import { BlockList, isIP } from 'node:net';
import { CliError, EXIT } from '../exit.js';

/** `--interface`: an address of the router on a link or of a neighbour there, or the link's prefix, and its ifIndex. */
export interface InterfaceRule {
  readonly addresses: BlockList;
  readonly ifindex: number;
}

export function interfaceRule(text: string): InterfaceRule {
  const [, address = '', length, index] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?=(\d{1,10})$/.exec(text) ?? [];
  const version = isIP(address);
  const ifindex = Number(index);
  if (version === 0 || ifindex > 0xffff_ffff || Number(length ?? 0) > (version === 4 ? 32 : 128)) {
    throw new CliError(
      `--interface: \`${text}\` is not ADDRESS=IFINDEX or PREFIX=IFINDEX, as 10.0.0.1=2 or 10.0.0.0/24=2`,
      EXIT.usage,
    );
  }
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(length ?? (version === 4 ? 32 : 128)), version === 4 ? 'ipv4' : 'ipv6');
  return { addresses, ifindex };
}

/**
 * ifIndexes for links that are known by addresses alone. Rules come first; other links are numbered in the order in which
 * they are met, with numbers that no rule uses.
 */
export class InterfaceTable {
  readonly #numbers = new Map<string, number>();
  readonly #taken: Set<number>;
  #next = 1;

  constructor(readonly rules: readonly InterfaceRule[]) {
    this.#taken = new Set(rules.map((rule) => rule.ifindex));
  }

  /** By the addresses that are known of a link, the telling ones first; the first one names it. */
  ifindex(...addresses: readonly (string | undefined)[]): number {
    const known = addresses.filter((address) => address !== undefined);
    for (const address of known) {
      const ruled = this.#ruled(address);
      if (ruled !== undefined) return ruled;
    }
    for (const address of known) {
      const number = this.#numbers.get(address);
      if (number !== undefined) return this.#name(known, number);
    }
    return this.#name(known, this.#newNumber());
  }

  #name(addresses: readonly string[], number: number): number {
    for (const address of addresses) if (!this.#numbers.has(address)) this.#numbers.set(address, number);
    return number;
  }

  #newNumber(): number {
    while (this.#taken.has(this.#next)) this.#next++;
    return this.#next++;
  }

  #ruled(address: string): number | undefined {
    const version = isIP(address);
    if (version === 0) return undefined;
    const family = version === 6 ? 'ipv6' : 'ipv4';
    return this.rules.find(({ addresses }) => addresses.check(address, family))?.ifindex;
  }
}

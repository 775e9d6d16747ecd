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
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const addresses = new BlockList();
  if (length === undefined) addresses.addAddress(address, family);
  else addresses.addSubnet(address, Number(length), family);
  return { addresses, ifindex };
}

/** Links that are known by a previous hop alone are numbered from here on. */
export const FIRST_UPSTREAM = 1001;

/**
 * ifIndexes for links that a capture shows by addresses alone. Rules come first. Other links have numbers in the order in
 * which they are met, from 1 on those with an address of the router, to which the Resv messages of the next hops go; so a
 * capture that is played twice has the same ones. Numbers of rules are not used for others.
 */
export class InterfaceTable {
  /** By address of the router. */
  readonly #own = new Map<string, number>();
  /** By address of a previous hop. */
  readonly #upstream = new Map<string, number>();
  readonly #taken: Set<number>;
  #next = 1;
  #nextUpstream = FIRST_UPSTREAM;
  /** Given to Path messages before a Resv has shown the address of the router there. */
  #unclaimed: number | undefined;

  constructor(readonly rules: readonly InterfaceRule[] = []) {
    this.#taken = new Set(rules.map((rule) => rule.ifindex));
  }

  /** The link by which a message came to the router's address `own`, from `neighbour`. */
  receiving(own: string, neighbour: string): number {
    let number = this.#ruled(own) ?? this.#ruled(neighbour) ?? this.#own.get(own);
    if (number === undefined) {
      number = this.#unclaimed ?? this.#newNumber();
      this.#unclaimed = undefined;
      this.#own.set(own, number);
    }
    return number;
  }

  /** The link towards a previous hop. */
  upstream(hop: string): number {
    let number = this.#ruled(hop) ?? this.#upstream.get(hop);
    if (number === undefined) {
      while (this.#taken.has(this.#nextUpstream)) this.#nextUpstream++;
      number = this.#nextUpstream++;
      this.#upstream.set(hop, number);
    }
    return number;
  }

  /** The link that Path messages to a destination leave by: nobody knows before a Resv comes back, so the first one. */
  downstream(destination: string): number {
    const [known] = this.#own.values();
    return this.#ruled(destination) ?? known ?? (this.#unclaimed ??= this.#newNumber());
  }

  #newNumber(): number {
    while (this.#taken.has(this.#next)) this.#next++;
    return this.#next++;
  }

  #ruled(address: string): number | undefined {
    const version = isIP(address);
    if (version === 0) return undefined;
    return this.rules.find(({ addresses }) => addresses.check(address, version === 6 ? 'ipv6' : 'ipv4'))
      ?.ifindex;
  }
}

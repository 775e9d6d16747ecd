import { createHash } from 'node:crypto';
import { Recent } from './recent.js';
import type { RefusalReason } from './refusal.js';
import { SlidingCount } from './sliding-count.js';

/** Who can be counted: a key that signs payments, the neighbour that sent a message, the router that asks us. */
export const PARTY_KINDS = ['key', 'source', 'pep'] as const;
export type PartyKind = (typeof PARTY_KINDS)[number];

export interface Party {
  readonly kind: PartyKind;
  readonly id: string;
}

/** So many failures within this time, and a party is not listened to for that time; milliseconds. */
export interface QuarantineRule {
  readonly failures: number;
  readonly within: number;
  readonly for: number;
}
export type QuarantineRules = Readonly<Record<PartyKind, QuarantineRule>>;

/** Somebody who is not listened to, or was not until a short while ago. */
export interface Quarantined extends Party {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  readonly failures: number;
  /** Of the last failure. */
  readonly reason: RefusalReason;
}

/** Who comes back within this time is quarantined for twice as long as before, up to so many times what the rule says. */
export const MEMORY = 86_400_000;
const MOST_TIMES = 64;
/** Parties of each kind, of whom failures are counted, and of those in quarantine. */
const MOST_PARTIES = 10_000;

/**
 * Counts failures, and says who is not listened to for a while. Bounded, whoever does what: of each kind the parties that
 * failed last are known, and a flood of one kind forgets nobody of another. Every call takes the same time.
 */
export class Quarantine {
  readonly #counts: Readonly<Record<PartyKind, Recent<SlidingCount>>>;
  readonly #quarantined: Readonly<Record<PartyKind, Recent<Quarantined>>>;

  constructor(
    private current: QuarantineRules,
    most = MOST_PARTIES,
  ) {
    const byKind = <Value>(): Record<PartyKind, Recent<Value>> => ({
      key: new Recent(most),
      source: new Recent(most),
      pep: new Recent(most),
    });
    this.#counts = byKind();
    this.#quarantined = byKind();
  }

  /** Other rules from now on; who is in quarantine stays there until its end. */
  set rules(rules: QuarantineRules) {
    for (const kind of PARTY_KINDS)
      if (rules[kind].within !== this.current[kind].within) this.#counts[kind].clear();
    this.current = rules;
  }

  /** Parties of whom failures are counted. */
  get counted(): number {
    return PARTY_KINDS.reduce((sum, kind) => sum + this.#counts[kind].size, 0);
  }

  /** Is anybody of this kind in quarantine, or was a short while ago? */
  knows(kind: PartyKind): boolean {
    return this.#quarantined[kind].size > 0;
  }

  find({ kind, id }: Party, now: number): Quarantined | undefined {
    const known = this.#quarantined[kind].get(id);
    return known !== undefined && known.until > now ? known : undefined;
  }

  /** All that are in quarantine at `now`. */
  list(now: number): Quarantined[] {
    return PARTY_KINDS.flatMap((kind) =>
      [...this.#quarantined[kind].values()].filter(({ until }) => until > now),
    );
  }

  /** Counts a failure; returns the quarantine that begins with it. What fails while it is in quarantine does not count. */
  fail({ kind, id }: Party, reason: RefusalReason, now: number): Quarantined | undefined {
    if (this.find({ kind, id }, now) !== undefined) return undefined;
    const rule = this.current[kind];
    const counts = this.#counts[kind];
    let count = counts.get(id);
    if (count === undefined) counts.set(id, (count = new SlidingCount()));
    const failures = count.add(now, rule.within);
    if (failures < rule.failures) return undefined;
    counts.delete(id);
    const time = timeFor(rule, this.#quarantined[kind].get(id), now);
    const begun: Quarantined = { kind, id, since: now, until: now + time, failures, reason };
    this.#quarantined[kind].set(id, begun);
    return begun;
  }

  /**
   * Takes over what is written down: others may have added to it, and people may have released somebody. `known` is all of
   * it, and what we have to add. Returns whom it set free, and whom it shut out.
   */
  load(known: readonly Quarantined[], now: number): { released: Quarantined[]; begun: Quarantined[] } {
    const before = new Map(this.list(now).map((one) => [partyName(one), one]));
    const free = new Map(before);
    const begun = new Map<string, Quarantined>();
    for (const kind of PARTY_KINDS) this.#quarantined[kind].clear();
    // Whose time is over last counts, and stays where there are too many.
    for (const one of [...known].sort((a, b) => a.until - b.until)) {
      this.#quarantined[one.kind].set(one.id, one);
      const name = partyName(one);
      if (one.until > now && !before.has(name)) begun.set(name, one);
      else free.delete(name);
    }
    // They can fail anew: what they did before is forgiven.
    for (const { kind, id } of free.values()) this.#counts[kind].delete(id);
    return { released: [...free.values()], begun: [...begun.values()] };
  }
}

function timeFor(rule: QuarantineRule, before: Quarantined | undefined, now: number): number {
  if (before === undefined || now >= before.until + MEMORY) return rule.for;
  return Math.max(rule.for, Math.min(2 * (before.until - before.since), MOST_TIMES * rule.for));
}

/** A party's name among all. */
export function partyName({ kind, id }: Party): string {
  return `${kind} ${id}`;
}

/** Ids are the peer's text, and there would be no end to their length. */
export function partyId(text: string): string {
  return text.length <= LONGEST_ID ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

const LONGEST_ID = 1024;

/** The neighbour that sent a message, as its router knows it: an address holds no `@`. */
export function sourceId(hop: string, pepId: string): string {
  return partyId(`${hop}@${pepId}`);
}

import type { Asked, Check } from './checks.js';

/* What must be true of checks, told without our code: from what PDPs, PEPs and the clearing centre said to each other. */

export class Broken extends Error {}

/** One PDP's run, as others see it. */
export interface Server {
  readonly name: string;
  readonly crashedAt: number | undefined;
  /** When another PDP ended what this one held, because nothing was heard of it; undefined while that is not so. */
  readonly sweptAt: number | undefined;
  /** When it last was, even if it has come back since. */
  readonly lastSweptAt: number | undefined;
}

/** A request state of a PEP at a PDP: what the PDP last said about it. */
export class Entry {
  reservation = '';
  /** Of what the PDP said Install to, for this reservation. */
  readonly nonces = new Map<string, number>();
  /** Those of them that no success was heard of. */
  readonly unconfirmed = new Set<string>();
  /** The last of them: what a PDP asks for again that was taken for dead. */
  current = '';
  isInstalled = false;
  isEnded = false;
  askedAt = 0;
  /** When it was asked for what is installed: from then on a success is awaited. */
  heldSince: number | undefined;

  constructor(
    readonly server: Server,
    readonly name: string,
  ) {}
}

interface Confirmed {
  readonly nonce: string;
  readonly reservation: string;
  readonly server: Server;
  readonly at: number;
}

/** How long a PDP that runs may take to write a report down, with the database in trouble, milliseconds. */
const TO_WRITE = 20_000;

export class Model {
  readonly entries = new Set<Entry>();
  /** When a nonce was first shown for a reservation. */
  readonly #asked = new Map<string, Map<string, number>>();
  readonly #lastAsked = new Map<string, number>();
  readonly #firstInstall = new Map<string, number>();
  readonly #confirmed: Confirmed[] = [];
  /** Reservations that a PEP reported success of, and when last. */
  readonly #reported = new Map<string, number>();
  readonly #paid = new Map<string, string>();
  readonly checks = new Map<string, Check>();
  /** The first thing that was not as it must be: noticed in the middle of somebody's promise, told between two steps. */
  problem: Broken | undefined;
  /** What happened, where somebody wants to read it. */
  readonly story: string[] = [];

  constructor(
    private readonly holdTimeout: number,
    private readonly isTold: boolean,
  ) {}

  tell(now: number, text: string): void {
    if (this.isTold) this.story.push(`${now.toFixed(0).padStart(6)} ${text}`);
  }

  broken(text: string): void {
    this.problem ??= new Broken(text);
  }

  asked(now: number, entry: Entry, { reservation, check }: Asked): void {
    entry.askedAt = now;
    this.tell(now, `${check.nonce} is shown for ${reservation}`);
    this.checks.set(check.nonce, check);
    this.#lastAsked.set(reservation, now);
    const by = this.#asked.get(check.nonce) ?? new Map<string, number>();
    this.#asked.set(check.nonce, by);
    if (!by.has(reservation)) by.set(reservation, now);
  }

  installed(now: number, entry: Entry, { reservation, check: { nonce } }: Asked): void {
    this.tell(now, `${entry.name}: Install ${reservation} for ${nonce}`);
    for (const other of this.entries) {
      if (other === entry || !other.isInstalled || other.isEnded || !other.nonces.has(nonce)) continue;
      if (other.reservation === reservation || other.server.sweptAt !== undefined) continue;
      // What a PDP taken for dead says before it knows is not believed either.
      if (entry.server.sweptAt !== undefined) continue;
      this.broken(
        `nonce ${nonce} is granted to ${reservation} (${entry.name}) while ${other.reservation} (${other.name}) has it`,
      );
    }
    const paid = this.#paid.get(nonce);
    if (paid !== undefined && paid !== reservation && entry.server.sweptAt === undefined)
      this.broken(`nonce ${nonce} is granted to ${reservation}: it was paid out for ${paid}`);
    if (entry.reservation !== reservation) {
      forget(entry, entry.nonces.keys());
      entry.heldSince = undefined;
    }
    entry.reservation = reservation;
    // Neither a refresh nor another payment gives more time to report.
    entry.heldSince ??= entry.askedAt;
    if (!entry.nonces.has(nonce)) {
      entry.nonces.set(nonce, now);
      entry.unconfirmed.add(nonce);
    }
    entry.isInstalled = true;
    entry.current = nonce;
    this.#firstInstall.set(
      `${nonce} ${reservation}`,
      this.#firstInstall.get(`${nonce} ${reservation}`) ?? now,
    );
  }

  /** A refusal, or what was granted is taken back: with a reason that is true. */
  removed(
    now: number,
    entry: Entry,
    { reservation, check }: Asked,
    reason: string,
    isSolicited: boolean,
  ): void {
    entry.isInstalled = false;
    const { nonce } = check;
    this.tell(
      now,
      `${entry.name}: Remove ${reservation} (${nonce}), ${isSolicited ? 'solicited, ' : ''}${reason}`,
    );
    const because = (isTrue: boolean): void => {
      if (!isTrue)
        this.broken(`${nonce} for ${reservation} (${entry.name}) is refused without cause: ${reason}`);
    };
    switch (reason) {
      case 'nonce-spent':
        because([...(this.#asked.get(nonce)?.keys() ?? [])].some((other) => other !== reservation));
        because(this.#paid.get(nonce) !== reservation);
        break;
      case 'time-over': {
        // What is taken back may be another payment than the one that was shown last, and refused.
        const nonces = isSolicited ? [nonce] : [...entry.nonces.keys()];
        const isOver = nonces.every((each) => {
          const { duration } = this.checks.get(each) as Check;
          const first = this.#asked.get(each)?.get(isSolicited ? reservation : entry.reservation) ?? now;
          return duration !== undefined && now >= first + duration * 1000;
        });
        because(entry.server.lastSweptAt !== undefined || isOver);
        break;
      }
      case 'unconfirmed':
        because(!isSolicited);
        because(now - (entry.heldSince ?? now) >= this.holdTimeout || entry.server.lastSweptAt !== undefined);
        break;
      default:
        break;
    }
    // Whoever is told Remove has nothing to report any more; where the database is away, nothing at all.
    const isAll = !isSolicited || reason === 'store-unavailable';
    forget(entry, isAll ? entry.nonces.keys() : entry.unconfirmed);
    entry.heldSince = undefined;
  }

  /** A PEP says that it has installed it; whether or not anybody hears. */
  reported(now: number, reservation: string): void {
    this.tell(now, `a router reports success of ${reservation}`);
    this.#reported.set(reservation, now);
  }

  /** A PDP has read that it could not be installed: it may go to another at once. */
  failed(now: number, entry: Entry): void {
    this.tell(now, `${entry.name}: failure of ${entry.reservation} is heard`);
    entry.isInstalled = false;
  }

  /** A PDP has read a success. */
  heard(now: number, entry: Entry): void {
    this.tell(now, `${entry.name}: success of ${entry.reservation} is heard`);
    entry.heldSince = undefined;
    if (entry.isInstalled) entry.unconfirmed.clear();
    if (!entry.isInstalled || entry.server.sweptAt !== undefined) return;
    const { server, reservation } = entry;
    for (const nonce of entry.nonces.keys()) this.#confirmed.push({ nonce, reservation, server, at: now });
  }

  /** Another PDP ends what this one held: what was not reported before is free for others. */
  swept(server: Server): void {
    for (const entry of this.entries) if (entry.server === server) forget(entry, entry.unconfirmed);
  }

  /** It has asked again for what it holds. */
  renewed(now: number, server: Server): void {
    for (const entry of this.entries) {
      if (entry.server !== server || !entry.isInstalled || entry.nonces.has(entry.current)) continue;
      entry.nonces.set(entry.current, now);
      entry.unconfirmed.add(entry.current);
    }
  }

  ended(now: number, entry: Entry): void {
    this.tell(now, `${entry.name}: ends`);
    entry.isEnded = true;
    entry.isInstalled = false;
    this.entries.delete(entry);
  }

  /** The clearing centre says that it has paid. `isFirst`: and that it had not before. */
  paid(nonce: string, reservation: string, isFirst: boolean): void {
    const before = this.#paid.get(nonce);
    if (before !== undefined && (isFirst || before !== reservation))
      this.broken(`nonce ${nonce} was paid out twice, for ${before} and ${reservation}`);
    if (!this.mayBeCharged(nonce, reservation))
      this.broken(`nonce ${nonce} was paid out for ${reservation}, of which no router reported success`);
    this.#paid.set(nonce, reservation);
  }

  get paidOut(): ReadonlyMap<string, string> {
    return this.#paid;
  }

  mayBeCharged(nonce: string, reservation: string): boolean {
    const asked = this.#asked.get(nonce)?.get(reservation);
    const reported = this.#reported.get(reservation);
    return asked !== undefined && reported !== undefined && reported >= asked;
  }

  /** What must have been charged, and for which reservation. */
  mustBeCharged(): Map<string, string> {
    const must = new Map<string, string>();
    for (const { nonce, reservation, server, at } of this.#confirmed) {
      const { crashedAt, lastSweptAt } = server;
      if (crashedAt !== undefined && crashedAt < at + TO_WRITE) continue;
      if (lastSweptAt !== undefined && lastSweptAt < at + TO_WRITE && lastSweptAt >= at - TO_WRITE) continue;
      const other = must.get(nonce);
      if (other !== undefined && other !== reservation)
        this.broken(`nonce ${nonce} must be charged for ${reservation} and for ${other}`);
      must.set(nonce, reservation);
    }
    return must;
  }

  /** Until when it is certainly paid for. */
  paidUntil(nonce: string, reservation: string): number {
    const { duration } = this.checks.get(nonce) as Check;
    const first = this.#firstInstall.get(`${nonce} ${reservation}`);
    if (first === undefined) return 0;
    return duration === undefined ? Infinity : first + duration * 1000;
  }

  /** When whatever was ever shown for a reservation cannot last any more. */
  latestEnd(reservation: string): number {
    let end = this.#lastAsked.get(reservation) ?? 0;
    for (const [nonce, by] of this.#asked) {
      if (!by.has(reservation)) continue;
      const { duration } = this.checks.get(nonce) as Check;
      if (duration === undefined) return Infinity;
      end += duration * 1000;
    }
    return end;
  }
}

function forget(entry: Entry, nonces: Iterable<string>): void {
  for (const nonce of [...nonces]) {
    entry.nonces.delete(nonce);
    entry.unconfirmed.delete(nonce);
  }
}

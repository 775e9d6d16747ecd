import type { Books, GrantResult, NonceKey, NonceUse } from './books.js';
import { Deadlines } from './deadlines.js';
import type { Payment, PaymentPolicy, PaymentRequest, Verdict } from './decide.js';
import { HeldReservations, holdOf, nameOfKey, show } from './held.js';
import type { Granted, Held } from './held.js';
import type { Refusal } from './refusal.js';

export interface CashierOptions {
  readonly policy: PaymentPolicy;
  readonly books: Books;
  /** Random, never twice. */
  readonly newId: () => string;
  /** How long a PEP may take to report that it installed a reservation, milliseconds. */
  readonly holdTimeout: number;
  /** What a holder was granted holds no more: the PEP must be told. */
  readonly removed: (holder: string, verdict: Verdict) => void;
  /** What could not be written is tried again after this: resolves after so many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

type Due = { readonly kind: 'hold' | 'paid' | 'judge'; readonly held: Held };

const DAY = 86_400_000;
/** How often reservations are judged again whose credentials ask for the time of day, milliseconds. */
const TIME_STEP = 10_000;
const RETRY = 500;
/** How long a request waits for what its holder had before. */
const PATIENCE = 5000;
/** Reservations that are judged again without a pause. */
const SLICE = 100;

/**
 * Grants reservations against payments: judges a request, has the books take its nonce, and only then says yes. Knows what its
 * PEPs hold, and takes it back when it is not paid for any more: a report that fails or never comes, a paid time that is
 * over, a credential that has expired or was revoked.
 */
export class Cashier {
  readonly held = new HeldReservations();
  readonly #deadlines = new Deadlines<Due>();
  #policy: PaymentPolicy;
  /** Counts changes of what is trusted: what was judged before one is judged again. */
  #epoch = 0;
  #day: number | undefined;
  #timeDue: number | undefined;
  readonly #asksForTime = new Set<Held>();
  #isFrozen = false;
  /** By holder, the last that is being written about it: the next waits for that, also once it holds nothing. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(private readonly options: CashierOptions) {
    this.#policy = options.policy;
  }

  get policy(): PaymentPolicy {
    return this.#policy;
  }

  /** Another policy from now on. What was granted stays granted until it is judged again. */
  set policy(policy: PaymentPolicy) {
    this.#policy = policy;
    this.#epoch++;
  }

  /** A promise where something has to be written first. */
  decide(request: PaymentRequest, now: number): Verdict | Promise<Verdict> {
    const covered = (session: string): number | undefined => this.held.bandwidth(request.pepId, session);
    const verdict = this.#policy.decide(request, now, covered);
    if (!isPaid(verdict)) {
      if (!verdict.granted) this.#refusedTo(request.holder, now);
      return verdict;
    }
    const keys = keysOf(verdict.payment);
    const before = this.held.of(request.holder);
    if (before !== undefined && isRefresh(before, verdict.payment, keys, now)) {
      before.verdict = verdict;
      show(before.shown, keys, verdict);
      return this.#granted(verdict, true);
    }
    return this.#grant(request, verdict, keys, now);
  }

  /** The PEP says whether it could install what was granted. */
  report(holder: string, success: boolean, now: number): void {
    const held = this.held.of(holder);
    if (held === undefined) return;
    if (!success) this.forget(holder, now);
    else if (held.state === 'held') {
      held.state = 'committed';
      void this.#write(holder, async () => {
        if ((await this.options.books.commit(holdOf(held), now)) === 'committed') return;
        // Another PDP took us for dead meanwhile, and ended it.
        await this.#renew(holder, now);
      });
    }
  }

  /** The PEP deleted the request, or is lost. */
  forget(holder: string, now: number): void {
    if (this.#isFrozen) return;
    const held = this.held.remove(holder);
    if (held === undefined) return;
    this.#asksForTime.delete(held);
    void this.#write(holder, () => this.options.books.end(holdOf(held), now));
  }

  /** When `handleTimeout` has something to do next; extra calls are harmless. */
  nextTimeout(now: number): number | undefined {
    if (this.held.size === 0) return undefined;
    const day = (Math.floor(now / DAY) + 1) * DAY;
    return Math.min(this.#deadlines.next ?? Infinity, this.#timeDue ?? Infinity, day);
  }

  async handleTimeout(now: number): Promise<void> {
    let due: Due | undefined;
    while ((due = this.#deadlines.take(now)) !== undefined) {
      if (this.held.of(due.held.request.holder) !== due.held) continue;
      if (due.held.isAsking) this.#deadlines.add(now + RETRY, due);
      else if (due.kind === 'judge') await this.#judgeAgain([due.held], now);
      else if (due.kind === 'hold') this.#holdIsOver(due.held, now);
      else await this.#timeIsOver(due.held, now);
    }
    const day = Math.floor(now / DAY);
    const isNewDay = this.#day !== undefined && day !== this.#day;
    this.#day = day;
    if (isNewDay) await this.reevaluate(now);
    else if (this.#timeDue !== undefined && this.#timeDue <= now) {
      this.#timeDue = now + TIME_STEP;
      await this.#judgeAgain([...this.#asksForTime], now);
    }
    if (this.#asksForTime.size === 0) this.#timeDue = undefined;
  }

  /**
   * Judges what is held again, by the attributes of then and the time of now, and takes back what would not be granted any
   * more. `concerned` says which credentials matter; left out, all do.
   */
  async reevaluate(now: number, concerned?: (held: Held) => boolean): Promise<number> {
    this.#epoch++;
    const all = this.held.all();
    return this.#judgeAgain(concerned === undefined ? all : all.filter(concerned), now);
  }

  /** Another PDP took us for dead, and ended what we held: it is asked for once more. */
  async renew(now: number): Promise<void> {
    await Promise.all(
      this.held.all().map(({ request: { holder } }) => this.#write(holder, () => this.#renew(holder, now))),
    );
  }

  /** Nothing ends any more: what is held stays in the books. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Resolves when all is written down, or `patience` milliseconds are over. */
  async written(patience: number): Promise<void> {
    await Promise.race([Promise.all(this.#writing.values()), this.options.sleep(patience)]);
  }

  async #grant(
    request: PaymentRequest,
    verdict: Granted,
    keys: readonly NonceKey[],
    now: number,
  ): Promise<Verdict> {
    const { holder } = request;
    const granting = this.#grantAfter(this.#writing.get(holder), request, verdict, keys, now);
    const before = this.held.of(holder);
    if (before !== undefined) before.isAsking = true;
    const done = (): void => {
      if (before !== undefined) before.isAsking = false;
    };
    void this.#follow(holder, granting.then(done, done));
    return granting;
  }

  async #grantAfter(
    before: Promise<void> | undefined,
    request: PaymentRequest,
    verdict: Granted,
    keys: readonly NonceKey[],
    now: number,
  ): Promise<Verdict> {
    const { holder } = request;
    const epoch = this.#epoch;
    let result: GrantResult;
    try {
      // What this holder had before is written about first.
      await this.#settled(before);
      result = await this.#ask(request, verdict, keys, now);
    } catch (error) {
      this.options.failed(error);
      // The PEP is told Remove, and nobody knows what the books have for this holder: it has nothing any more.
      this.forget(holder, now);
      return this.#policy.refuse(request, {
        reason: 'store-unavailable',
        text: `the payment cannot be recorded now: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
    if (result.kind !== 'granted') {
      this.#refusedTo(holder, now);
      return this.#refused(request, verdict, result);
    }
    const held = this.#hold(request, verdict, keys, result, now);
    if (epoch !== this.#epoch) {
      const again = this.#policy.again(request, verdict, now);
      if (!again.granted) {
        this.forget(holder, now);
        return again;
      }
    }
    return this.#granted(held.verdict, result.again);
  }

  #ask(
    request: PaymentRequest,
    verdict: Granted,
    keys: readonly NonceKey[],
    now: number,
  ): Promise<GrantResult> {
    const { books, newId } = this.options;
    const { holder, pepId, handle, linkName } = request;
    const before = this.held.of(holder);
    const isLeaving =
      before !== undefined && before.verdict.payment.reservation !== verdict.payment.reservation;
    return books.grant({
      id: newId(),
      ...{ holder, pepId, handle, linkName, keys, verdict, now },
      leaving: isLeaving ? holdOf(before) : undefined,
      recheck: (spent) => this.#policy.again(request, verdict, now, spent),
    });
  }

  /** A PEP that is told Remove reports no success any more of what it held before, and need not keep its nonces. */
  #refusedTo(holder: string, now: number): void {
    if (this.held.of(holder)?.state === 'held') this.forget(holder, now);
  }

  #refused(
    request: PaymentRequest,
    { attributes }: Verdict,
    result: Exclude<GrantResult, { kind: 'granted' }>,
  ): Verdict {
    if (result.kind === 'refused') return result.verdict;
    return this.#policy.refuse(request, refusalOf(result), attributes);
  }

  /**
   * Asks the books again for all that a holder has shown for what it holds: it keeps what is granted. Throws where they do not
   * answer, so that it is done again.
   */
  async #renew(holder: string, now: number): Promise<void> {
    const held = this.held.of(holder);
    if (held === undefined) return;
    let refused: Verdict | undefined;
    let last: { readonly verdict: Granted; readonly paidUntil: number | undefined } | undefined;
    let isUnreported = false;
    const verdicts = new Set<Granted>();
    for (const [name, { verdict }] of held.shown) {
      if (verdict === undefined) held.shown.delete(name);
      else verdicts.add(verdict);
    }
    for (const verdict of verdicts) {
      const keys = keysOf(verdict.payment);
      const result = await this.#ask(held.request, verdict, keys, now);
      // Deleted meanwhile: its end is written next.
      if (this.held.of(holder) !== held) return;
      if (result.kind === 'granted') {
        last = { verdict, paidUntil: result.paidUntil };
        isUnreported ||= result.state === 'held';
      } else {
        refused = this.#refused(held.request, verdict, result);
        for (const key of keys) held.shown.delete(nameOfKey(key));
      }
    }
    if (last === undefined) {
      if (refused !== undefined) this.options.removed(holder, refused);
      this.forget(holder, now);
      return;
    }
    if (![...held.shown.values()].some(({ verdict }) => verdict === held.verdict))
      held.verdict = last.verdict;
    held.paidUntil = last.paidUntil;
    if (last.paidUntil !== undefined) this.#deadlines.add(last.paidUntil, { kind: 'paid', held });
    if (held.state === 'committed' && isUnreported) await this.options.books.commit(holdOf(held), now);
  }

  async #settled(writing: Promise<void> | undefined): Promise<void> {
    if (writing === undefined) return;
    const late = this.options.sleep(PATIENCE).then(() => 'late');
    if ((await Promise.race([writing, late])) === 'late')
      throw new Error('what the router reported before is not written down yet');
  }

  #hold(
    request: PaymentRequest,
    verdict: Granted,
    keys: readonly NonceKey[],
    result: GrantResult & { kind: 'granted' },
    now: number,
  ): Held {
    const { holder } = request;
    const { reservation } = verdict.payment;
    const before = this.held.of(holder);
    const isSame = before?.verdict.payment.reservation === reservation;
    // What it has for this reservation already may still await its report.
    const isHeldBefore = isSame && before.state === 'held';
    const state = isHeldBefore ? 'held' : result.state;
    const { paidUntil } = result;
    const held: Held = {
      request: { ...request, objects: [] },
      verdict,
      shown: new Map(isSame ? before.shown : []),
      state,
      paidUntil,
      // A payment that is added gives no more time to report the one before.
      holdUntil: isHeldBefore ? before.holdUntil : now + this.options.holdTimeout,
      isAsking: false,
    };
    show(held.shown, keys, verdict);
    if (before !== undefined) this.#asksForTime.delete(before);
    this.held.add(held);
    if (state === 'held') this.#deadlines.add(held.holdUntil, { kind: 'hold', held });
    if (paidUntil !== undefined) this.#deadlines.add(paidUntil, { kind: 'paid', held });
    if (this.#policy.asksForTime(verdict.payment.credentials)) {
      this.#asksForTime.add(held);
      this.#timeDue ??= now + TIME_STEP;
    }
    this.#day ??= Math.floor(now / DAY);
    return held;
  }

  #granted(verdict: Granted, again: boolean): Verdict {
    const reason = this.#policy.paidText(verdict.payment, again ? 'was paid before' : 'is paid');
    return { ...verdict, reason, again };
  }

  #holdIsOver(held: Held, now: number): void {
    if (held.state !== 'held') return;
    const seconds = this.options.holdTimeout / 1000;
    const text = `the router did not report within ${seconds} s that it installed the reservation`;
    this.#remove(held, { reason: 'unconfirmed', text }, now);
  }

  /** Another PDP may have sold more of it meanwhile. */
  async #timeIsOver(held: Held, now: number): Promise<void> {
    try {
      held.paidUntil = await this.options.books.paidUntil(holdOf(held));
    } catch (error) {
      this.options.failed(error);
      this.#deadlines.add(now + RETRY, { kind: 'paid', held });
      return;
    }
    const { paidUntil } = held;
    if (paidUntil === undefined || this.held.of(held.request.holder) !== held) return;
    if (paidUntil > now) {
      this.#deadlines.add(paidUntil, { kind: 'paid', held });
      return;
    }
    const until = paidUntil === 0 ? 'before' : `at ${new Date(paidUntil).toISOString()}`;
    const text = `the time that was paid for is over: it ended ${until}`;
    this.#remove(held, { reason: 'time-over', text }, now);
  }

  async #judgeAgain(all: readonly Held[], now: number): Promise<number> {
    let removed = 0;
    for (const [i, held] of all.entries()) {
      if (i % SLICE === SLICE - 1) await this.options.sleep(0);
      if (this.held.of(held.request.holder) !== held) continue;
      if (held.isAsking) {
        this.#deadlines.add(now, { kind: 'judge', held });
        continue;
      }
      const verdict = this.#policy.again(held.request, held.verdict, now);
      if (verdict.granted) continue;
      removed++;
      this.options.removed(held.request.holder, verdict);
      this.forget(held.request.holder, now);
    }
    return removed;
  }

  #remove(held: Held, refusal: Refusal, now: number): void {
    const { holder } = held.request;
    if (this.held.of(holder) !== held) return;
    this.options.removed(holder, this.#policy.refuse(held.request, refusal));
    this.forget(holder, now);
  }

  /** Writes about one holder are in order, and tried again until the books have them. */
  #write(holder: string, work: () => Promise<void>): Promise<void> {
    const before = this.#writing.get(holder) ?? Promise.resolve();
    const writing = before.then(async () => {
      for (;;) {
        try {
          await work();
          return;
        } catch (error) {
          this.options.failed(error);
        }
        await this.options.sleep(RETRY);
      }
    });
    return this.#follow(holder, writing);
  }

  #follow(holder: string, writing: Promise<void>): Promise<void> {
    const following = writing.then(() => {
      if (this.#writing.get(holder) === following) this.#writing.delete(holder);
    });
    this.#writing.set(holder, following);
    return following;
  }
}

function isPaid(verdict: Verdict): verdict is Granted {
  return verdict.granted && verdict.payment !== undefined;
}

function keysOf({ payers, nonce }: Payment): NonceKey[] {
  return payers.map((payer) => ({ payer: payer.toText('base64'), nonce }));
}

/** The same holder asks again for what it holds: the books know. */
function isRefresh(before: Held, payment: Payment, keys: readonly NonceKey[], now: number): boolean {
  return (
    before.verdict.payment.reservation === payment.reservation &&
    (before.paidUntil === undefined || before.paidUntil > now) &&
    keys.every((key) => before.shown.has(nameOfKey(key)))
  );
}

function refusalOf(
  result:
    | { readonly kind: 'spent'; readonly use: NonceUse }
    | { readonly kind: 'over'; readonly use: NonceUse; readonly paidUntil: number },
): Refusal {
  const { nonce, reservation, since } = result.use;
  const paid = `nonce \`${nonce}\` has paid for ${reservation} since ${new Date(since).toISOString()}`;
  if (result.kind === 'spent') return { reason: 'nonce-spent', text: paid };
  return { reason: 'time-over', text: `${paid}, until ${new Date(result.paidUntil).toISOString()}` };
}

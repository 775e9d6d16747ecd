import type { PaymentPolicy, PaymentRequest, Verdict } from '../../policy/payment/index.js';
import { comparableSum, toMillionths } from '../../policy/payment/money.js';

/** A check of a customer's, and what it is shown for. */
export interface Check {
  readonly nonce: string;
  readonly payers: readonly string[];
  readonly amount: string;
  /** Seconds. */
  readonly duration: number | undefined;
  /** The credit authorization that limits its total, if one does. */
  readonly limited: boolean;
}

export interface Asked {
  readonly reservation: string;
  readonly check: Check;
}

/** Millionths that may be paid under the credit authorization in total. */
export const TOTAL_LIMIT = 3_000_000n;
export const AUTHORIZATION = 'credit authorization';
export const CURRENCY = 'USD';

const carried = new WeakMap<object, Asked>();

/** A payment request as the cashier takes it; what the router's message would carry is at hand for `CheckPolicy`. */
export function requestOf(asked: Asked, holder: string, pepId: string, handle: string): PaymentRequest {
  const request: PaymentRequest = {
    ...{ holder, pepId, handle, linkName: 'Dublin-NYC', message: 'Resv', objects: [] },
    ...{ incoming: true, allocation: true, outgoing: true },
  };
  carried.set(request, asked);
  return request;
}

type Judged = Verdict & { readonly payment: NonNullable<Verdict['payment']> };
type Spent = Parameters<PaymentPolicy['again']>[3];

/**
 * Stands in for KeyNote, which has tests of its own and costs a hundred times as much: grants what is not revoked and within
 * the total. What is under test is what becomes of a grant.
 */
export class CheckPolicy {
  readonly revoked = new Set<string>();

  constructor(private readonly authorizationDigest: string) {}

  decide(request: PaymentRequest): Verdict {
    const asked = carried.get(request) as Asked;
    const { check, reservation } = asked;
    const { amount, duration, nonce } = check;
    const signed = { text: `check ${nonce}` };
    const payment = {
      ...{ amount, currency: CURRENCY, nonce, duration, session: reservation, reservation, bandwidth: 1 },
      payers: check.payers.map((name) => ({ toText: () => name })),
      credentials: [{ text: AUTHORIZATION }, signed],
      checks: [signed],
      totalled: check.limited ? [this.authorizationDigest] : [],
      ...{ isExposureLimited: false, requesters: { route: 'route' } },
    } as unknown as Judged['payment'];
    return this.again(request, { payment, attributes: new Map([['nonce', nonce]]) }, 0);
  }

  again(
    request: PaymentRequest,
    granted: Pick<Verdict, 'payment' | 'attributes'>,
    _: number,
    spent?: Spent,
  ): Verdict {
    const { payment, attributes } = granted as Judged;
    if (this.revoked.has(payment.nonce))
      return this.refuse(request, { reason: 'revoked', text: 'is revoked' });
    const [digest] = payment.totalled;
    if (digest !== undefined && spent !== undefined) {
      const total = spent.total(digest) + BigInt(toMillionths(payment.amount));
      if (total > TOTAL_LIMIT)
        return this.refuse(request, { reason: 'not-authorized', text: `total ${comparableSum(total)}` });
    }
    return { granted: true, reason: 'is paid', payment, attributes };
  }

  refuse(_request: unknown, refusal: NonNullable<Verdict['refusal']>): Verdict {
    return { granted: false, reason: refusal.text, refusal, attributes: new Map() };
  }

  paidText(): string {
    return 'is paid';
  }

  asksForTime(): boolean {
    return false;
  }
}

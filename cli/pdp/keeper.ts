import type { PaymentPolicy, PaymentRequest, Verdict } from '../../policy/payment/index.js';

/**
 * The policy in force, and those before it that still hold grants: a report, or the end of a request, belongs to the policy
 * that granted it.
 */
export class PolicyKeeper {
  readonly #grantedBy = new Map<string, PaymentPolicy>();

  constructor(public current: PaymentPolicy) {}

  decide(request: PaymentRequest, now: number): Verdict {
    const { holder } = request;
    const before = this.#grantedBy.get(holder);
    if (before !== undefined && before !== this.current) this.forget(holder);
    const verdict = this.current.decide(request, now);
    if (verdict.payment !== undefined) this.#grantedBy.set(holder, this.current);
    return verdict;
  }

  report(holder: string, success: boolean): void {
    this.#grantedBy.get(holder)?.report(holder, success);
  }

  forget(holder: string): void {
    this.#grantedBy.get(holder)?.forget(holder);
    this.#grantedBy.delete(holder);
  }
}

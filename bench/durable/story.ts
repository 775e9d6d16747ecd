import { parseAssertion } from '../../policy/keynote/index.js';
import type { Assertion } from '../../policy/keynote/index.js';
import type { Payment } from '../../policy/payment/index.js';
import {
  authorization,
  check,
  claims,
  nick,
  NOW,
  offered,
  request,
} from '../../policy/payment/test/world.js';

const NONCE = '0123456789abcdef';
const CHECK = check(NONCE);

/** What the paper's ISP decides on the paper's request: what is written down is as long as it is in truth. */
const verdict = nick().decide(
  request({ claims: claims({ nonce: NONCE }), assertions: [CHECK, offered(), authorization()] }),
  NOW,
  () => undefined,
);
if (verdict.payment === undefined) throw new Error(`the paper's request is refused: ${verdict.reason}`);

export const PAYMENT: Payment = verdict.payment;
export const ATTRIBUTES: ReadonlyMap<string, string> = verdict.attributes;
/** The offer and the credit authorization, which all have in common. */
export const COMMON: readonly Assertion[] = PAYMENT.credentials.filter(
  (one) => !PAYMENT.checks.includes(one),
);

/** The paper's check with another nonce, not signed again: it counts as judged. */
export function checkText(nonce: string): string {
  return CHECK.replaceAll(NONCE, nonce);
}

export function checkFor(nonce: string): Assertion {
  return parseAssertion(checkText(nonce));
}

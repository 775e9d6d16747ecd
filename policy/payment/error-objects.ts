import { ErrorSpecIpv4, ErrorSpecIpv6, PolicyData } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { PaymentElement, PaymentError } from './element.js';
import { POLICY_CONTROL_FAILURE, presentable, REFUSALS } from './refusal.js';
import type { Refusal } from './refusal.js';

/**
 * What a refusal puts into the error message: ERROR_SPEC with RFC 2750's error value, and the reason in a payment
 * element's error attribute (RFC 2750 4.3). `node` is the address of the router that sends the error.
 */
export function errorObjects(refusal: Refusal, node: string): WireObject[] {
  const { code, errorValue } = REFUSALS[refusal.reason];
  const spec = { errorNodeAddress: node, flags: 0, errorCode: POLICY_CONTROL_FAILURE, errorValue };
  const error = PaymentError.make({ code, reason: presentable(refusal.text) });
  return [
    node.includes(':') ? ErrorSpecIpv6.make(spec) : ErrorSpecIpv4.make(spec),
    PolicyData.make({ options: [], elements: [PaymentElement.make({ attributes: [error] })] }),
  ];
}

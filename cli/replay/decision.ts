import { ERROR_NAMES, TRIGGER_ERROR } from '../../cops/index.js';
import type { ContextDecision } from '../../cops/index.js';
import { PAYMENT_RSVP, PaymentElement, PaymentError } from '../../policy/payment/index.js';
import {
  ErrorSpecIpv4,
  ErrorSpecIpv6,
  errorCodeText,
  errorValueText,
  firstOf,
  PolicyData,
  Reader,
  WireError,
} from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';

/** `null` is the COPS decision of that name; `error` is none at all. */
export type Outcome = 'install' | 'remove' | 'null' | 'error';

export interface Reading {
  readonly outcome: Outcome;
  /** One line for people. */
  readonly reason: string;
  /** Does `reason` come from the PDP? */
  readonly isExplained: boolean;
  /** RSVP is to send an error message (RFC 2749 2.4). */
  readonly triggersError: boolean;
}

/** What a PDP has decided, and why, as far as its decision says. One Remove among several contexts is a refusal. */
export function readDecision(decisions: readonly ContextDecision[]): Reading {
  const removed = decisions.find((decision) => decision.command === 'remove');
  if (removed !== undefined) {
    const reason = reasonIn(removed.replacement);
    const triggersError = ((removed.flags ?? 0) & TRIGGER_ERROR) !== 0;
    return {
      outcome: 'remove',
      reason: reason ?? 'removed, without a reason',
      isExplained: reason !== undefined,
      triggersError,
    };
  }
  const isInstalled = decisions.some((decision) => decision.command === 'install');
  return {
    outcome: isInstalled ? 'install' : 'null',
    reason: isInstalled ? 'installed' : 'NULL decision',
    isExplained: true,
    triggersError: false,
  };
}

/** The reason in Replacement Data: the words of a payment element's error attribute, or the names in the ERROR_SPEC. */
export function reasonIn(replacement: Uint8Array | undefined): string | undefined {
  return replacement === undefined ? undefined : reasonOf(replacedObjects(replacement));
}

/** The same of objects that `PAYMENT_RSVP` has read. */
export function reasonOf(objects: readonly WireObject[]): string | undefined {
  for (const element of objects.flatMap((object) => (PolicyData.is(object) ? object.elements : []))) {
    if (!PaymentElement.is(element)) continue;
    const error = firstOf(element.attributes, PaymentError);
    if (error !== undefined) return oneLine(error.reason);
  }
  const spec = firstOf(objects, ErrorSpecIpv4, ErrorSpecIpv6);
  if (spec === undefined) return undefined;
  return `error code ${errorCodeText(spec.errorCode)}, value ${errorValueText(spec.errorCode, spec.errorValue)}`;
}

export function copsErrorText(errorCode: number, errorSubCode: number): string {
  return `COPS error ${errorCode} (${ERROR_NAMES[errorCode] ?? 'unknown'})${errorSubCode === 0 ? '' : `, sub-code ${errorSubCode}`}`;
}

function replacedObjects(replacement: Uint8Array): WireObject[] {
  try {
    return PAYMENT_RSVP.objects.readAll(new Reader(replacement));
  } catch (error) {
    if (error instanceof WireError) return [];
    throw error;
  }
}

/** A PDP's words on one line, with nothing that a terminal obeys. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

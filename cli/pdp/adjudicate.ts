import { ERROR, R_TYPE, TRIGGER_ERROR } from '../../cops/index.js';
import type { ClientSi, ContextDecision, DecisionError, Interface } from '../../cops/index.js';
import { errorObjects, PAYMENT_RSVP } from '../../policy/payment/index.js';
import type { PaymentRequest, Verdict } from '../../policy/payment/index.js';
import { Reader, Writer } from '../../rsvp/wire/index.js';
import type { WireError, WireObject } from '../../rsvp/wire/index.js';
import { isInPolicyData } from '../flow.js';
import { MESSAGE_NAMES, missingObject } from './mandatory.js';
import type { RsvpMessageName } from './mandatory.js';
import type { Outcome } from './metrics.js';
import { RecentRefusals } from './recent-refusals.js';

/**
 * A question of a router: a `PdpRequest` of COPS, or one that a router's own policy module asks without a PDP between them.
 */
export interface Inquiry {
  readonly pepId: string;
  /** Names the question at its router, in hex. */
  readonly handle: string;
  /** R-Type flags and M-Type (RFC 2749 2.2). */
  readonly rType: number;
  readonly mType: number;
  readonly inInterface: Interface | undefined;
  readonly outInterface: Interface | undefined;
  readonly clientSi: readonly ClientSi[];
  /** Names the state that holds what is granted, among all that are asked about here. */
  readonly state: { readonly serial: number };
  /** The router. */
  readonly peer: { readonly address: string };
}

/** Which link a question is about; what `LinkTable` does. */
export interface LinkFinder {
  find(
    pepId: string,
    inInterface: Interface | undefined,
    outInterface: Interface | undefined,
  ): { readonly name: string } | undefined;
}

/** Judges a payment; what `Cashier.decide` does. */
export type Judge = (request: PaymentRequest, now: number) => Verdict | Promise<Verdict>;

/** What goes back to the PEP, and what the log says of it. */
export interface Adjudication {
  readonly decision: ContextDecision | DecisionError;
  readonly outcome: Outcome;
  /** From a closed list: for metrics. */
  readonly cause: string;
  /** One line for people. */
  readonly reason: string;
  readonly message: string;
  readonly linkName?: string;
  readonly objects: readonly WireObject[];
  readonly verdict?: Verdict;
}

/**
 * COPS requests of client-type 1 become payment requests, verdicts become decisions (RFC 2749 3). One decision stands for all
 * the steps that a request asks about: a refused reservation is refused at each of them.
 *
 * A refusal says Remove with Trigger Error, and has the ERROR_SPEC and the POLICY_DATA for the error message as its
 * Replacement Data; a PEP that asks before it sends the error (RFC 2749 3.7) gets them once more.
 */
export class Adjudicator {
  readonly #refusals = new RecentRefusals();

  constructor(
    readonly judge: Judge,
    readonly links: LinkFinder,
  ) {}

  /** Throws what the judge throws: the caller must not grant then. A promise where the judge's verdict is one. */
  adjudicate(request: Inquiry, now: number): Adjudication | Promise<Adjudication> {
    const message = MESSAGE_NAMES[request.mType];
    const about = { message: message ?? `message type ${request.mType}`, objects: NONE };
    if (message === undefined) {
      return failed(
        about,
        ERROR.unableToProcess,
        'bad-message-type',
        'COPS decides on Path, Resv, PathErr and ResvErr (RFC 2749 2.2)',
      );
    }
    const signaled = request.clientSi.find(({ kind }) => kind === 'signaled');
    if (signaled === undefined)
      return failed(about, ERROR.mandatoryClientInfoMissing, 'no-client-si', 'no Signaled ClientSI');

    const faults: WireError[] = [];
    const objects = readObjects(signaled.data, faults);
    const link = this.links.find(request.pepId, request.inInterface, request.outInterface);
    const seen = { message, objects, ...(link === undefined ? {} : { linkName: link.name }) };
    const isIncoming = (request.rType & R_TYPE.incoming) !== 0;
    const missing = missingObject(message, isIncoming, objects);
    if (missing !== undefined) {
      return failed(
        seen,
        ERROR.mandatoryClientInfoMissing,
        'object-missing',
        `a ${message} without ${missing} (RFC 2749 2.3)`,
      );
    }
    const [fault] = faults;
    if (fault !== undefined) return this.#refused(request, message, seen, badObject(fault, objects, request));
    if ((message === 'ResvErr' || message === 'PathErr') && !isIncoming)
      return this.#outgoingError(request, seen);

    const verdict = this.judge(paymentRequest(request, message, objects, link?.name), now);
    return 'then' in verdict
      ? verdict.then((later) => this.#judged(request, message, seen, later))
      : this.#judged(request, message, seen, verdict);
  }

  /** The unsolicited decision that takes back what was granted. */
  remove(request: Inquiry, verdict: Verdict): Adjudication {
    const message = MESSAGE_NAMES[request.mType] ?? 'Resv';
    const signaled = request.clientSi.find(({ kind }) => kind === 'signaled');
    const objects = signaled === undefined ? NONE : readObjects(signaled.data, []);
    return this.#refused(request, message, { message, objects }, verdict);
  }

  forget(holder: string): void {
    this.#refusals.forget(holder);
  }

  #judged(request: Inquiry, message: RsvpMessageName, seen: Seen, verdict: Verdict): Adjudication {
    if (!verdict.granted) return this.#refused(request, message, seen, verdict);
    this.#refusals.forget(holderOf(request));
    return {
      ...seen,
      decision: { command: 'install' },
      outcome: 'install',
      cause: 'granted',
      reason: verdict.reason,
      verdict,
    };
  }

  #refused(request: Inquiry, message: RsvpMessageName, seen: Seen, verdict: Verdict): Adjudication {
    const replaced = verdict.errorObjects ?? NONE;
    const isError = message === 'PathErr' || message === 'ResvErr';
    if (!isError)
      this.#refusals.remember(
        holderOf(request),
        request.pepId,
        message,
        seen.objects,
        replaced,
        verdict.reason,
      );
    return {
      ...seen,
      decision: {
        command: 'remove',
        // An error message triggers no error message (RFC 2205 3.9).
        ...(isError ? {} : { flags: TRIGGER_ERROR }),
        ...(replaced.length === 0 ? {} : { replacement: octetsOf(replaced) }),
      },
      outcome: 'remove',
      cause: verdict.refusal?.reason ?? 'refused',
      reason: verdict.reason,
      verdict,
    };
  }

  #outgoingError(request: Inquiry, seen: Seen): Adjudication {
    const refusal = this.#refusals.find(request.pepId, request.mType === 4 ? 'Resv' : 'Path', seen.objects);
    return {
      ...seen,
      decision: {
        command: 'install',
        ...(refusal === undefined ? {} : { replacement: octetsOf(refusal.errorObjects) }),
      },
      outcome: 'install',
      cause: refusal === undefined ? 'error-passes' : 'error-explained',
      reason: refusal === undefined ? `${seen.message} passes` : `${seen.message} says: ${refusal.reason}`,
    };
  }
}

/** Who holds what is granted: the request state, which may outlive its connection. */
export function holderOf(request: Inquiry): string {
  return String(request.state.serial);
}

type Seen = Pick<Adjudication, 'message' | 'objects' | 'linkName'>;

const NONE: readonly WireObject[] = [];

function failed(seen: Seen, errorCode: number, cause: string, reason: string): Adjudication {
  return { ...seen, decision: { errorCode }, outcome: 'error', cause, reason };
}

/** The objects, those that are broken as octets, with what is wrong with them in `faults`. */
function readObjects(data: Uint8Array, faults: WireError[]): readonly WireObject[] {
  const reader = new Reader(data);
  reader.faults = faults;
  return PAYMENT_RSVP.objects.readAll(reader);
}

function octetsOf(objects: readonly WireObject[]): Uint8Array {
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(writer, objects);
  return writer.finish();
}

/** RFC 2750 Appendix A tells broken policy data from other broken objects. */
function badObject(fault: WireError, objects: readonly WireObject[], request: Inquiry): Verdict {
  const reason = isInPolicyData(objects, fault.offset) ? 'bad-element' : 'bad-request';
  const refusal = { reason, text: fault.message } as const;
  return {
    granted: false,
    reason: fault.message,
    refusal,
    attributes: new Map(),
    errorObjects: errorObjects(refusal, nodeOf(request)),
  };
}

/** The router's own address, as far as we know it: the one that it talks to us from. */
function nodeOf({ peer }: Inquiry): string {
  return peer.address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

/**
 * What a router has merged, or sends on, is paid for by the reservations that came in, not by credentials of its own
 * (RFC 2749 2.3, 5.2): these are left out there, so that nothing is judged twice by the link that it leaves by.
 */
function paymentRequest(
  request: Inquiry,
  message: RsvpMessageName,
  objects: readonly WireObject[],
  linkName: string | undefined,
): PaymentRequest {
  const incoming = (request.rType & R_TYPE.incoming) !== 0;
  return {
    holder: holderOf(request),
    pepId: request.pepId,
    handle: request.handle,
    linkName,
    node: nodeOf(request),
    message,
    incoming,
    allocation: (request.rType & R_TYPE.allocation) !== 0,
    outgoing: (request.rType & R_TYPE.outgoing) !== 0,
    objects: incoming ? objects : objects.filter((object) => object.class !== 'POLICY_DATA'),
  };
}

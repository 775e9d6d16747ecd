import { performance } from 'node:perf_hooks';
import { R_TYPE, REASON, REASON_NAMES, rsvpOctets } from '../../cops/index.js';
import type { ContextDecision, PepRequest } from '../../cops/index.js';
import { RequestError } from '../../cops/io/index.js';
import type { PepClient } from '../../cops/io/index.js';
import { ErrorSpecIpv4, ErrorSpecIpv6 } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { CliError } from '../exit.js';
import { copsErrorText, readDecision, reasonIn } from './decision.js';
import type { Reading } from './decision.js';
import type { Decided } from './expect.js';
import type { AskStep, Step } from './steps.js';

/** A decision as it is shown. */
export interface Played extends Decided {
  /** Capture time in milliseconds. */
  readonly time: number;
  readonly handle: string;
  readonly milliseconds: number;
}

export interface PlayerEvents {
  readonly decided: (played: Played) => void;
  /** What the PDP was told besides: reports and deletes. */
  readonly told: (frame: number, text: string) => void;
}

/** Does what a `CaptureRouter` says, over a connection: one request at a time, in the order of the capture. */
export class Player {
  readonly latencies: number[] = [];
  deletes = 0;
  reports = 0;
  /** Rejects when the connection is lost. */
  readonly #lost: Promise<never>;
  #errors = 0;

  constructor(
    readonly client: PepClient,
    readonly events: PlayerEvents,
  ) {
    this.#lost = new Promise((_resolve, reject) => {
      client.once('lost', ({ reason }) =>
        reject(new CliError(`the connection to the PDP is lost: ${reason}`)),
      );
    });
    this.#lost.catch(() => undefined);
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'ask') await this.#ask(step);
    else this.#delete(step.handle, step.reasonCode, step.frame);
  }

  async #ask(step: AskStep): Promise<void> {
    const started = performance.now();
    const answer = await this.#decision(questionOf(step));
    const milliseconds = performance.now() - started;
    this.latencies.push(milliseconds);
    const reading = await this.#explained(step, answer);
    const { frame, time, message, session, flow, handle, rType } = step;
    const { outcome: decision, reason } = reading;
    this.events.decided({
      frame,
      time,
      message,
      session,
      flow,
      handle,
      context: contextText(rType),
      decision,
      reason,
      milliseconds,
    });
    // "After the reservation was successfully installed, the PEP notifies the remote PDP" (RFC 2749 3.3): that is where
    // resources were allocated, as in the examples of RFC 2749 5.
    if (decision === 'install' && (rType & R_TYPE.allocation) !== 0) {
      this.client.report(handle, 'success', { solicited: true });
      this.reports++;
      this.events.told(frame, `RPT commit, handle ${handle}`);
    }
    if (step.isTransient) this.#delete(handle, REASON.transientHandle, frame);
    if (decision === 'install') for (const next of step.then) await this.#ask(next);
  }

  async #request(question: Question): Promise<readonly ContextDecision[]> {
    const { objects, ...rest } = question;
    const clientSi = [{ kind: 'signaled' as const, data: rsvpOctets(objects) }];
    const { decisions } = await Promise.race([this.client.request({ ...rest, clientSi }), this.#lost]);
    return decisions;
  }

  async #decision(question: Question): Promise<Reading> {
    try {
      return readDecision(await this.#request(question));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return { outcome: 'error', reason: failureText(error), isExplained: true, triggersError: false };
    }
  }

  /** Asks what to put into the error message that a refusal triggers, where the refusal did not say (RFC 2749 3.7). */
  async #explained(step: AskStep, reading: Reading): Promise<Reading> {
    if (reading.isExplained || !reading.triggersError) return reading;
    const handle = `fe${(this.#errors++).toString(16).padStart(6, '0')}`;
    try {
      const decisions = await this.#request(errorQuestion(step, handle));
      const reason = decisions
        .map(({ replacement }) => reasonIn(replacement))
        .find((text) => text !== undefined);
      return reason === undefined ? reading : { ...reading, reason };
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return reading;
    } finally {
      this.#delete(handle, REASON.transientHandle, step.frame);
    }
  }

  /** A handle that the PDP answered with an error is gone already. */
  #delete(handle: string, reasonCode: number, frame: number): void {
    if (this.client.pep.decisionsOf(handle) === undefined) return;
    this.client.delete(handle, reasonCode);
    this.deletes++;
    this.events.told(
      frame,
      `DRQ, handle ${handle}, reason ${reasonCode} (${REASON_NAMES[reasonCode] ?? 'unknown'})`,
    );
  }
}

type Question = Omit<PepRequest, 'clientSi' | 'handle'> & {
  readonly handle: string;
  readonly objects: readonly WireObject[];
};

function questionOf({
  handle,
  rType,
  mType,
  inInterface,
  outInterface,
  objects,
  isRefresh,
}: AskStep): Question {
  return {
    handle,
    rType,
    mType,
    objects,
    fresh: isRefresh,
    ...(inInterface === undefined ? {} : { inInterface }),
    ...(outInterface === undefined ? {} : { outInterface }),
  };
}

const PATH_ERR = new Set(['SESSION', 'SENDER_TEMPLATE', 'SENDER_TSPEC', 'ADSPEC']);
const RESV_ERR = new Set(['SESSION', 'RSVP_HOP', 'SCOPE', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC']);

/** The error message goes back where the refused one came from. Its objects are those of RFC 2205 3.1.7 and 3.1.8. */
function errorQuestion(step: AskStep, handle: string): Question {
  const isPath = step.mType === 1;
  const address = step.inInterface?.address ?? '0.0.0.0';
  const spec = { errorNodeAddress: address, flags: 0, errorCode: 2, errorValue: 0 };
  const kept = step.objects.filter((object) => (isPath ? PATH_ERR : RESV_ERR).has(object.class));
  const place = kept.findIndex((object) => object.class !== 'SESSION' && object.class !== 'RSVP_HOP');
  const error = address.includes(':') ? ErrorSpecIpv6.make(spec) : ErrorSpecIpv4.make(spec);
  return {
    handle,
    rType: R_TYPE.outgoing,
    mType: isPath ? 3 : 4,
    objects: place === -1 ? [...kept, error] : kept.toSpliced(place, 0, error),
    ...(step.inInterface === undefined ? {} : { outInterface: step.inInterface }),
  };
}

function failureText(error: RequestError): string {
  const { failure } = error;
  return failure.kind === 'error' ? copsErrorText(failure.errorCode, failure.errorSubCode) : error.message;
}

const STEPS = [
  [R_TYPE.incoming, 'in'],
  [R_TYPE.allocation, 'allocation'],
  [R_TYPE.outgoing, 'out'],
  [R_TYPE.configuration, 'configuration'],
] as const;

/** `in+allocation+out` */
export function contextText(rType: number): string {
  return STEPS.filter(([flag]) => (rType & flag) !== 0)
    .map(([, name]) => name)
    .join('+');
}

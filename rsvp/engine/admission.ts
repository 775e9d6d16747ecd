import type { Core } from './core.js';
import { rateOf } from './flow.js';
import type { Flow } from './flow.js';
import { preempt, victims } from './preemption.js';
import type { Session, Traffic } from './state.js';

/** Admission control (RFC 2205 2.5, Appendix B): what is reserved on an interface stays below what may be. */

/** Sub-codes of error code 1. */
export const ADMISSION_ERROR = { bandwidth: 2, mtu: 3 } as const;

export interface Refusal {
  readonly code: number;
  readonly value: number;
  readonly capacity: number;
  readonly asked: number;
  readonly free: number;
  /** Something smaller is in place and stays. */
  readonly isInPlace: boolean;
  readonly text: string;
}

export interface AdmissionRequest {
  readonly session: Session;
  readonly interface: number;
  readonly flow: Flow;
  /** What is in force already. */
  readonly traffic: Traffic | undefined;
  readonly preemptionPriority: number;
  readonly defendingPriority: number;
}

/** Octets a second that are not reserved yet. */
export function free(core: Core, index: number): number {
  return (core.interface(index)?.reservable ?? 0) - (core.used.get(index) ?? 0);
}

export function give(core: Core, index: number, rate: number): void {
  const left = (core.used.get(index) ?? 0) - rate;
  // Sums of fractions: what is left of them is nothing.
  if (left < 1e-6) core.used.delete(index);
  else core.used.set(index, left);
}

/** Books the rate of what is admitted; others may have to go for it (RFC 3181). Otherwise nothing has changed. */
export function admit(core: Core, now: number, request: AdmissionRequest): Refusal | undefined {
  const { interface: index, flow, traffic, session } = request;
  const link = core.interface(index);
  const asked = rateOf(flow);
  const had = traffic === undefined ? 0 : rateOf(traffic.inForce);
  const capacity = link?.reservable ?? 0;
  const left = free(core, index) + had;
  const on = core.nameOf(index);
  const refusal = { code: 1, capacity, asked, free: left, isInPlace: traffic !== undefined };
  if (link !== undefined && flow.maximumPacketSize > link.mtu && asked > had)
    return {
      ...refusal,
      value: ADMISSION_ERROR.mtu,
      text: `packets of ${flow.maximumPacketSize} octets, the MTU of ${on} is ${link.mtu}`,
    };
  // Less than before, or as much, is never refused: not even where the interface has lost capacity.
  if (asked > left && asked > had) {
    const gone = victims(core, request, asked - left);
    if (gone === undefined)
      return {
        ...refusal,
        value: ADMISSION_ERROR.bandwidth,
        text: `${asked} octets/s asked for on ${on}, ${left} of ${capacity} free`,
      };
    for (const victim of gone) preempt(core, now, victim, session.text, request);
  }
  core.used.set(index, (core.used.get(index) ?? 0) - had + asked);
  return undefined;
}

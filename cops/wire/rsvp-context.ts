import { ERROR, R_TYPE } from './codes.js';
import { fault } from './fault.js';
import type { Fault } from './fault.js';

/** M-Types of client-type 1: "identical to the values used in the "msg type" field in the RSVP header" (RFC 2749 2.2). */
const M_TYPE = { path: 1, resv: 2, pathErr: 3, resvErr: 4 } as const;

/**
 * Does RSVP ask about this context (RFC 2749 2.2, 3.6)? The request is well-formed by RFC 2748, so what is wrong is said as
 * "Unable to process"; a Remove would be obeyed, and a tear message would be dropped as if it had never arrived.
 *
 * RFC 2749 3.6 (a) lists in + allocation + out and in + allocation as the only combinations; the example of its section
 * 5.1 has in + out as well, so that is let through. Whether the flow is unicast, as the first of them
 * requires, is in the ClientSI: the policy's to see.
 */
export function checkRsvpContext(rType: number, mType: number): Fault | undefined {
  if (mType < M_TYPE.path || mType > M_TYPE.resvErr)
    return unable(`M-Type ${mType}, expected Path, Resv, PathErr or ResvErr (RFC 2749 2.2)`);
  if ((rType & R_TYPE.configuration) !== 0)
    return unable(`R-Type ${rType}: RSVP has no configuration requests (RFC 2749 2.2)`);
  if ((rType & R_TYPE.allocation) === 0) return undefined;
  if (mType !== M_TYPE.resv)
    return unable(`M-Type ${mType} with Resource-Allocation, which applies to Resv only (RFC 2749 2.2)`);
  if (rType === (R_TYPE.allocation | R_TYPE.outgoing))
    return unable('R-Type 6: allocation and outgoing go together only with incoming (RFC 2749 3.6)');
  return undefined;
}

function unable(problem: string): Fault {
  return fault(ERROR.unableToProcess, problem);
}

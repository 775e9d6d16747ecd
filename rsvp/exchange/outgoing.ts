import { TimeValues } from '../wire/index.js';
import type { RsvpInput } from '../wire/index.js';

/** A message that is sent once: a tear, an error, a confirmation. */
export interface Outgoing {
  /** Index of the interface that it leaves by. */
  readonly interface: number;
  readonly source?: string;
  readonly destination: string;
  readonly routerAlert: boolean;
  readonly ttl: number;
  /** The RSVP neighbour that handles it next, where it is known. */
  readonly neighbour?: string | undefined;
  /** Without MESSAGE_ID and INTEGRITY. */
  readonly message: RsvpInput;
  /** To be sent again until the neighbour has acknowledged it, where it does that (RFC 2961 4.5): tears and errors. */
  readonly isReliable?: boolean;
}

const SESSION = 1;
const RSVP_HOP = 3;
const TIME_VALUES = 5;

/** With the period that it is refreshed by (RFC 2205 3.7), behind SESSION and RSVP_HOP as RFC 2205 3.1.3 has it. */
export function withTimeValues(message: RsvpInput, refreshPeriod: number): RsvpInput {
  const { objects } = message;
  let at = 0;
  for (const [i, { classNum }] of objects.entries()) {
    if (classNum === TIME_VALUES) return message;
    if (classNum === SESSION || classNum === RSVP_HOP) at = i + 1;
  }
  const values = TimeValues.make({ refreshPeriod });
  return { ...message, objects: [...objects.slice(0, at), values, ...objects.slice(at)] };
}

import { firstOf, Style, styleName } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';

/** RSVP messages that COPS asks about (RFC 2749 2.2). */
export type RsvpMessageName = 'Path' | 'Resv' | 'PathErr' | 'ResvErr';

export const MESSAGE_NAMES: Readonly<Partial<Record<number, RsvpMessageName>>> = {
  1: 'Path',
  2: 'Resv',
  3: 'PathErr',
  4: 'ResvErr',
};

/** The classes that each message must have (RFC 2205 3.1.3, 3.1.4, 3.1.7, 3.1.8), the flow descriptors of Resv apart. */
const MANDATORY: Readonly<Record<RsvpMessageName, readonly string[]>> = {
  Path: ['SESSION', 'RSVP_HOP', 'TIME_VALUES', 'SENDER_TEMPLATE', 'SENDER_TSPEC'],
  Resv: ['SESSION', 'RSVP_HOP', 'TIME_VALUES', 'STYLE', 'FLOWSPEC'],
  PathErr: ['SESSION', 'ERROR_SPEC'],
  ResvErr: ['SESSION', 'RSVP_HOP', 'ERROR_SPEC', 'STYLE'],
};

/** "Specifically contain the SESSION and STYLE objects along with the merged FLOWSPEC, FILTERSPEC list" (RFC 2749 2.3). */
const ALLOCATION = ['SESSION', 'STYLE', 'FLOWSPEC'];

/**
 * The first class that a request lacks. All of a message's objects are asked for where the message has arrived; what the
 * router has merged or is about to send has the objects that say what it is about: a PEP asks for the ERROR_SPEC
 * of an error that it is to send (RFC 2749 3.7).
 */
export function missingObject(
  message: RsvpMessageName,
  isIncoming: boolean,
  objects: readonly WireObject[],
): string | undefined {
  const wanted = isIncoming ? MANDATORY[message] : message === 'Resv' ? ALLOCATION : ['SESSION'];
  const present = new Set(objects.map((object) => object.class));
  const missing = wanted.find((name) => !present.has(name));
  if (missing !== undefined || message !== 'Resv') return missing;
  // Only a wildcard reservation names no sender (RFC 2205 3.1.4).
  const style = firstOf(objects, Style);
  return style !== undefined && styleName(style.optionVector) !== 'WF' && !present.has('FILTER_SPEC')
    ? 'FILTER_SPEC'
    : undefined;
}

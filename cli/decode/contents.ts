import { CLIENT_TYPE_RSVP } from '../../cops/wire/codes.js';
import type { CopsMessage } from '../../cops/wire/message.js';
import { DecisionReplacement, LpdpReplacement, SignaledClientSi } from '../../cops/wire/objects.js';
import { Reader, WireError, type RsvpMessage, type WireObject } from '../../rsvp/wire/index.js';
import { RSVP_CODEC } from './codec.js';
import type { Decoded } from './message.js';

/** The objects of an RSVP message, those of a Bundle's messages included. */
export function objectsOf({ objects, messages }: RsvpMessage): readonly WireObject[] {
  return messages === undefined ? objects : [...objects, ...messages.flatMap(objectsOf)];
}

/**
 * The RSVP objects that a COPS object of client type 1 holds (RFC 2749 2.3, 2.4); undefined where it holds none
 * that can be read.
 */
export function rsvpInside(
  { clientType }: CopsMessage,
  object: WireObject,
): readonly WireObject[] | undefined {
  if (clientType !== CLIENT_TYPE_RSVP) return undefined;
  if (!SignaledClientSi.is(object) && !DecisionReplacement.is(object) && !LpdpReplacement.is(object)) {
    return undefined;
  }
  try {
    return RSVP_CODEC.objects.readAll(new Reader(object.data));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** All RSVP objects of a message, wherever they are: what filters look at. */
export function rsvpObjectsOf({ rsvp, cops }: Decoded): readonly WireObject[] {
  if (rsvp !== undefined) return objectsOf(rsvp);
  return cops?.objects.flatMap((object) => rsvpInside(cops, object) ?? []) ?? [];
}

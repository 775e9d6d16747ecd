import { WireError } from '../../rsvp/wire/error.js';
import type { WireObject } from '../../rsvp/wire/object.js';
import { Reader, Writer } from '../../rsvp/wire/octets.js';
import { RSVP } from '../../rsvp/wire/rsvp.js';
import { CLIENT_TYPE_RSVP } from './codes.js';
import { DecisionReplacement, LpdpReplacement, SignaledClientSi } from './objects.js';

/**
 * The RSVP objects that a COPS object of client type 1 holds: a Signaled ClientSI "all objects that were received in
 * an RSVP message" (RFC 2749 2.3), Replacement Data the objects to put in their place (RFC 2749 2.4). They stand one
 * after the other, without the common header of RSVP. Throws `WireError`; offsets count from the data's first octet.
 */
export function rsvpObjects(data: Uint8Array): WireObject[] {
  return RSVP.objects.readAll(new Reader(data));
}

/** The octets of RSVP objects, to put into a ClientSI or into Replacement Data. */
export function rsvpOctets(objects: readonly WireObject[]): Uint8Array {
  const writer = new Writer();
  RSVP.objects.writeAll(writer, objects);
  return writer.finish();
}

/** Text of the RSVP objects inside `object`, or nothing where there are none or they cannot be read. */
export function rsvpText(clientType: number, object: WireObject, indent: string): string {
  if (clientType !== CLIENT_TYPE_RSVP) return '';
  if (!SignaledClientSi.is(object) && !DecisionReplacement.is(object) && !LpdpReplacement.is(object))
    return '';
  try {
    return rsvpObjects(object.data)
      .map((inner) => RSVP.objects.text(inner, indent))
      .join('');
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}

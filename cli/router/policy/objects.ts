import { PAYMENT_RSVP } from '../../../policy/payment/index.js';
import { Reader, RSVP, Writer } from '../../../rsvp/wire/index.js';
import type { RsvpCodec, WireError, WireObject } from '../../../rsvp/wire/index.js';
import { reasonOf } from '../../replay/decision.js';

/*
 * The engine knows nothing of payments: a payment element is octets to it. Objects change codecs here, by way of their octets.
 */

/** Octets of objects, whichever codec they are of: what is opaque to `RSVP` is opaque to `PAYMENT_RSVP` as well. */
export function octetsOf(objects: readonly WireObject[]): Uint8Array {
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(writer, objects);
  return writer.finish();
}

/** As the engine sees them. */
export function plainObjects(octets: Uint8Array): WireObject[] {
  return readAll(RSVP, octets);
}

/** Why a message was sent, in the words of whoever refused: of an error message's objects; undefined where it says nothing. */
export function reasonIn(objects: readonly WireObject[]): string | undefined {
  return reasonOf(readAll(PAYMENT_RSVP, octetsOf(objects)));
}

/** What is broken is kept as octets: a policy server's mistake must not stop a router. */
function readAll(codec: RsvpCodec, octets: Uint8Array): WireObject[] {
  const faults: WireError[] = [];
  const reader = new Reader(octets);
  reader.faults = faults;
  return codec.objects.readAll(reader);
}

import { COPS, type CopsMessage } from '../../cops/wire/message.js';
import type { Fault, Packet } from '../../rsvp/capture/index.js';
import { checksumOf, WireError, type RsvpMessage } from '../../rsvp/wire/index.js';
import { RSVP_CODEC } from './codec.js';

/** What is wrong, at its place: of the capture, or of the message (then with what the RFC expects). */
export interface MessageFault {
  readonly code: string;
  readonly message: string;
  readonly where: string;
  /** Octets from the start of the message, and the rule; for the message's own faults. */
  readonly offset?: number;
  readonly rfc?: string;
}

/** A packet of a capture or a line of hex, with the message in it as far as it can be read. */
export interface Decoded {
  readonly packet: Packet;
  readonly rsvp: RsvpMessage | undefined;
  readonly cops: CopsMessage | undefined;
  readonly faults: readonly (Fault | MessageFault)[];
}

export function decodePacket(packet: Packet): Decoded {
  switch (packet.kind) {
    case 'rsvp':
      return decodeRsvp(packet);
    case 'cops':
      return decodeCops(packet);
    case 'fault':
      return { packet, rsvp: undefined, cops: undefined, faults: packet.faults };
  }
}

function decodeRsvp(packet: Packet): Decoded {
  const { payload } = packet;
  const errors: WireError[] = [];
  const rsvp = attempt(RSVP_CODEC, payload, errors);
  if (rsvp !== undefined) {
    const wrong = wrongChecksum(payload, rsvp);
    if (wrong !== undefined) errors.unshift(wrong);
    if (payload.length > rsvp.length) errors.push(behind(payload, rsvp.length, 'RFC 2205 3.1.1'));
  }
  return { packet, rsvp, cops: undefined, faults: allFaults(packet, errors) };
}

function decodeCops(packet: Packet): Decoded {
  const { payload } = packet;
  const errors: WireError[] = [];
  const cops = attempt(COPS, payload, errors);
  if (cops !== undefined && payload.length > cops.length) {
    errors.push(behind(payload, cops.length, 'RFC 2748 2.1'));
  }
  return { packet, rsvp: undefined, cops, faults: allFaults(packet, errors) };
}

interface Codec<Message> {
  decode(octets: Uint8Array, faults?: WireError[]): Message;
}

/** Most messages have no fault, and looking for none is faster. Octets without a whole header are no message. */
function attempt<Message>(
  codec: Codec<Message>,
  octets: Uint8Array,
  errors: WireError[],
): Message | undefined {
  try {
    return codec.decode(octets);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  try {
    return codec.decode(octets, errors);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    errors.push(error);
    return undefined;
  }
}

/** A sender without a checksum leaves 0 (RFC 2205 3.1.1). What was cut off can't be summed. */
function wrongChecksum(payload: Uint8Array, { checksum }: RsvpMessage): WireError | undefined {
  const length = ((payload[6] ?? 0) << 8) | (payload[7] ?? 0);
  if (checksum === 0 || checksum === undefined || length < 8 || length > payload.length) return undefined;
  if (checksumOf(payload, 0, length) === 0) return undefined;
  const whole = new Uint8Array(payload.subarray(0, length));
  whole.fill(0, 2, 4);
  return new WireError('checksum', `a checksum of ${hex16(checksum)}`, {
    offset: 2,
    object: 'common header',
    expected: hex16(checksumOf(whole)),
    rfc: 'RFC 2205 3.1.1',
  });
}

function behind(payload: Uint8Array, length: number, rfc: string): WireError {
  const problem = `${payload.length - length} octets behind the message`;
  return new WireError('length', problem, { offset: length, object: 'message', expected: 'its end', rfc });
}

function allFaults({ faults }: Packet, errors: readonly WireError[]): readonly (Fault | MessageFault)[] {
  if (errors.length === 0) return faults;
  return [
    ...faults,
    ...errors.map(({ code, problem, expected, object, offset, rfc }) => ({
      code,
      message: `${problem}, expected ${expected}`,
      where: `${object} at octet ${offset}`,
      offset,
      rfc,
    })),
  ];
}

function hex16(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

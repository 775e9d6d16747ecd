import type { Family } from '../family.js';
import { bits, flag, ipv4, ipv6, u16, u32, u8 } from '../field.js';
import { object } from '../object.js';
import type { AnyObjectType, WireObject } from '../object.js';
import { membersOf } from '../tail.js';

/**
 * Objects that hold RSVP objects: diagnosis (RFC 2745) and tunnels (RFC 2746). They are made for the codec whose
 * objects they hold.
 */
export function nestingObjects(objects: () => Family<WireObject>): readonly AnyObjectType[] {
  const inside = membersOf(objects);

  /*
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   *  | Max-RSVP-hops | RSVP-hop-count|         Reserved            |MF|
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   *  |                          Request ID                           |
   *  +---------------+---------------+---------------+---------------+
   *  |           Path MTU            |     Fragment Offset           |
   *  +---------------+---------------+---------------+---------------+
   *  |                         LAST-HOP Address                      |
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   *  |        SENDER_TEMPLATE object, Requester FILTER_SPEC object   |
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   */
  const DIAGNOSTIC = { class: 'DIAGNOSTIC', classNum: 30, rfc: 'RFC 2745 3.3' } as const;
  const request = {
    maxRsvpHops: u8(),
    rsvpHopCount: u8(),
    reserved: bits(15),
    moreFragments: flag,
    requestId: u32(),
    pathMtu: u16({ unit: 'octets' }),
    fragmentOffset: u16({ unit: 'octets' }),
  };

  /*
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   *  |                       DREQ Arrival Time                       |
   *  |                  Incoming Interface Address                   |
   *  |                  Outgoing Interface Address                   |
   *  |                 Previous-RSVP-Hop Router Address              |
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   *  |   D-TTL       |M|R-err|  K    |      Timer value              |
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   *  //      (optional) TUNNEL object, response objects             //
   *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
   */
  const DIAG_RESPONSE = { class: 'DIAG_RESPONSE', classNum: 32, rfc: 'RFC 2745 3.6' } as const;
  const arrival = { dreqArrivalTime: u32() };
  const timers = {
    dTtl: u8(),
    merged: flag,
    rError: bits(3, { bits: { 1: 'No PATH state', 2: 'packet too big', 4: 'ROUTE object too big' } }),
    k: bits(4),
    timerValue: u16({ unit: 's' }),
  };

  /* The end-to-end SESSION, then the Sender FILTER-SPEC of the tunnel session. C-Type is "sent as zero". */
  const SESSION_ASSOC = { class: 'SESSION_ASSOC', classNum: 192, rfc: 'RFC 2746 2.3.1' } as const;

  return [
    object(
      { ...DIAGNOSTIC, cType: 1, title: 'IPv4' },
      { ...request, lastHopAddress: ipv4 },
      { objects: inside },
    ),
    object(
      { ...DIAGNOSTIC, cType: 2, title: 'IPv6' },
      { ...request, lastHopAddress: ipv6 },
      { objects: inside },
    ),
    object(
      { ...DIAG_RESPONSE, cType: 1, title: 'IPv4' },
      {
        ...arrival,
        incomingInterfaceAddress: ipv4,
        outgoingInterfaceAddress: ipv4,
        previousHopAddress: ipv4,
        ...timers,
      },
      { objects: inside },
    ),
    object(
      { ...DIAG_RESPONSE, cType: 2, title: 'IPv6' },
      {
        ...arrival,
        incomingInterfaceAddress: ipv6,
        outgoingInterfaceAddress: ipv6,
        previousHopAddress: ipv6,
        ...timers,
      },
      { objects: inside },
    ),
    object({ ...SESSION_ASSOC, cType: 0, title: 'tunnel' }, {}, { objects: inside }),
  ];
}

import { flowspecOf, tspecOf } from '../rsvp/engine/index.js';
import { partsOf } from '../rsvp/exchange/frame.js';
import {
  FilterSpecIpv4,
  find,
  MessageId,
  MessageIdAck,
  MessageIdList,
  RSVP,
  RsvpHopIpv4,
  SenderTemplateIpv4,
  SessionIpv4,
  Style,
  TimeValues,
} from '../rsvp/wire/index.js';
import type { RsvpInput, WireObject } from '../rsvp/wire/index.js';

/** The two neighbours of the router in the benchmark: they hold no state, and make each message when it is due. */

export const REFRESH_PERIOD = 30_000;
/** Addresses of the previous hop, the router towards both, and the next hop. */
export const HOPS = { previous: '10.1.0.1', left: '10.1.0.2', right: '10.2.0.1', next: '10.2.0.2' } as const;

const TOKEN_BUCKET = {
  ...{ rate: 1000, bucket: 2000, peak: 4000, minimumPolicedUnit: 64, maximumPacketSize: 1500 },
};
const TSPEC = tspecOf(TOKEN_BUCKET);
const FLOWSPEC = flowspecOf({ ...TOKEN_BUCKET, service: 'controlled-load', reservedRate: 0, slack: 0 });
const FF = 10;
const EPOCH = 1;
const PATH = 1;
const RESV = 2;
const ACK = 13;
const SREFRESH = 15;
/** Identifiers in one Srefresh, acknowledgments in one Ack: what fits 1500 octets. */
const LISTED = 360;
const ACKNOWLEDGED = 120;

/** Session, sender and Message_Identifiers of the n-th reservation. */
export function destinationOf(n: number): string {
  return `10.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
}

export function senderOf(n: number): string {
  return `10.${32 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
}

function idOf(n: number): number {
  return n + 1;
}

/** `numbered`: with a MESSAGE_ID, by a neighbour capable of refresh reduction (RFC 2961). */
export function path(n: number, numbered: boolean): Uint8Array {
  return encoded(PATH, n, numbered, 63, [
    RsvpHopIpv4.make({ hopAddress: HOPS.previous, logicalInterfaceHandle: 1 }),
    TimeValues.make({ refreshPeriod: REFRESH_PERIOD }),
    SenderTemplateIpv4.make({ srcAddress: senderOf(n), srcPort: 6000 }),
    TSPEC,
  ]);
}

export function resv(n: number, numbered: boolean): Uint8Array {
  return encoded(RESV, n, numbered, 255, [
    RsvpHopIpv4.make({ hopAddress: HOPS.next, logicalInterfaceHandle: 2 }),
    TimeValues.make({ refreshPeriod: REFRESH_PERIOD }),
    Style.make({ flags: 0, optionVector: FF }),
    FLOWSPEC,
    FilterSpecIpv4.make({ srcAddress: senderOf(n), srcPort: 6000 }),
  ]);
}

function encoded(
  msgType: number,
  n: number,
  numbered: boolean,
  ttl: number,
  rest: readonly WireObject[],
): Uint8Array {
  const session = SessionIpv4.make({
    destAddress: destinationOf(n),
    protocolId: 17,
    flags: 0,
    dstPort: 5000,
  });
  const id = numbered ? [MessageId.make({ flags: 0, epoch: EPOCH, messageIdentifier: idOf(n) })] : [];
  const message: RsvpInput = { msgType, flags: numbered ? 1 : 0, ttl, objects: [...id, session, ...rest] };
  return RSVP.encode(message);
}

/** Srefreshes that name the reservations from `first` up to `end`. */
export function srefreshes(first: number, end: number): readonly Uint8Array[] {
  return chunks(
    Array.from({ length: end - first }, (_, i) => idOf(first + i)),
    LISTED,
  ).map((messageIdentifiers) =>
    RSVP.encode({
      ...{ msgType: SREFRESH, flags: 1, ttl: 255 },
      objects: [MessageIdList.make({ flags: 0, epoch: EPOCH, messageIdentifiers })],
    }),
  );
}

/** Acknowledgments of all that the router asked for in these messages (RFC 2961 4.6). */
export function acknowledgments(sent: readonly Uint8Array[]): readonly Uint8Array[] {
  const ids = sent.flatMap(wanted);
  return chunks(ids, ACKNOWLEDGED).map((objects) =>
    RSVP.encode({ msgType: ACK, flags: 1, ttl: 255, objects }),
  );
}

function wanted(octets: Uint8Array): readonly WireObject[] {
  if (octets[1] === 12) {
    const parts = partsOf(octets);
    return Array.isArray(parts) ? parts.flatMap(wanted) : [];
  }
  const id = find(RSVP.decode(octets), MessageId);
  if (id === undefined || (id.flags & 1) === 0) return [];
  const { epoch, messageIdentifier } = id;
  return [MessageIdAck.make({ flags: 0, epoch, messageIdentifier })];
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

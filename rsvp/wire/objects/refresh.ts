import { bits, ipv4, ipv6, u32, u8 } from '../field.js';
import { layout } from '../layout.js';
import { object } from '../object.js';
import { list, records } from '../tail.js';

/** Refresh overhead reduction (RFC 2961). */

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |     Flags     |                      Epoch                    |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                       Message_Identifier                      |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const epoch = bits(24, { text: (value) => `0x${value.toString(16).padStart(6, '0')}` });
const identity = { flags: u8({ bits: {} }), epoch, messageIdentifier: u32() };

export const MessageId = object(
  { class: 'MESSAGE_ID', classNum: 23, cType: 1, title: 'message id', rfc: 'RFC 2961 4.2' },
  { ...identity, flags: u8({ bits: { 0x01: 'ACK_Desired' } }) },
);

/** One class, two names: the C-Type says whether the message was accepted. */
export const MessageIdAck = object(
  { class: 'MESSAGE_ID_ACK', classNum: 24, cType: 1, title: 'MESSAGE_ID_ACK', rfc: 'RFC 2961 4.3' },
  identity,
);
export const MessageIdNack = object(
  { class: 'MESSAGE_ID_ACK', classNum: 24, cType: 2, title: 'MESSAGE_ID_NACK', rfc: 'RFC 2961 4.3' },
  identity,
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |     Flags     |                      Epoch                    |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  //            Message_Identifier, or tuples of it              //
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * A tuple of a SRC_LIST adds the source address of the sender whose Path state is refreshed, one of a MCAST_LIST
 * the destination address as well.
 */
const MESSAGE_ID_LIST = { class: 'MESSAGE_ID_LIST', classNum: 25, rfc: 'RFC 2961 5.1' } as const;
const head = { flags: u8({ bits: {} }), epoch };

export const MessageIdList = object({ ...MESSAGE_ID_LIST, cType: 1, title: 'MESSAGE_ID LIST' }, head, {
  messageIdentifiers: list(u32()),
});
export const MessageIdSrcListIpv4 = object({ ...MESSAGE_ID_LIST, cType: 2, title: 'IPv4 SRC_LIST' }, head, {
  tuples: records(layout({ messageIdentifier: u32(), sourceIpAddress: ipv4 })),
});
export const MessageIdSrcListIpv6 = object({ ...MESSAGE_ID_LIST, cType: 3, title: 'IPv6 SRC_LIST' }, head, {
  tuples: records(layout({ messageIdentifier: u32(), sourceIpAddress: ipv6 })),
});
export const MessageIdMcastListIpv4 = object(
  { ...MESSAGE_ID_LIST, cType: 4, title: 'IPv4 MCAST_LIST' },
  head,
  {
    tuples: records(layout({ messageIdentifier: u32(), sourceIpAddress: ipv4, destinationIpAddress: ipv4 })),
  },
);
export const MessageIdMcastListIpv6 = object(
  { ...MESSAGE_ID_LIST, cType: 5, title: 'IPv6 MCAST_LIST' },
  head,
  {
    tuples: records(layout({ messageIdentifier: u32(), sourceIpAddress: ipv6, destinationIpAddress: ipv6 })),
  },
);

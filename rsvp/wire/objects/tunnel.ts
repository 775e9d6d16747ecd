import { bits, derived, flag, ipv4, ipv6, u32, u8 } from '../field.js';
import { object } from '../object.js';
import { EXPLICIT_HOPS, RECORDED_HOPS } from '../route.js';
import { counted, membersOf, padding, text } from '../tail.js';

/** RSVP-TE (RFC 3209) and GMPLS (RFC 3473) beside labels. */

export const ExplicitRoute = object(
  { class: 'EXPLICIT_ROUTE', classNum: 20, cType: 1, title: 'explicit route', rfc: 'RFC 3209 4.3' },
  {},
  { subObjects: membersOf(EXPLICIT_HOPS) },
);
export const RecordRoute = object(
  { class: 'RECORD_ROUTE', classNum: 21, cType: 1, title: 'record route', rfc: 'RFC 3209 4.4' },
  {},
  { subObjects: membersOf(RECORDED_HOPS) },
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                         Src_Instance                          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                         Dst_Instance                          |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const HELLO = { class: 'HELLO', classNum: 22 } as const;
const instances = { srcInstance: u32(), dstInstance: u32() };
export const HelloRequest = object(
  { ...HELLO, cType: 1, title: 'REQUEST', rfc: 'RFC 3209 5.2.1' },
  instances,
);
export const HelloAck = object({ ...HELLO, cType: 2, title: 'ACK', rfc: 'RFC 3209 5.2.2' }, instances);

/*
 * With resource affinities (C-Type 1) three words stand in front:
 *
 *  |          Exclude-any, Include-any, Include-all                |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |   Setup Prio  | Holding Prio  |     Flags     |  Name Length  |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  //          Session Name      (NULL padded display string)      //
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const SESSION_ATTRIBUTE = { class: 'SESSION_ATTRIBUTE', classNum: 207 } as const;
const priorities = {
  setupPriority: u8(),
  holdingPriority: u8(),
  flags: u8({
    bits: { 0x01: 'local protection desired', 0x02: 'label recording desired', 0x04: 'SE style desired' },
  }),
  nameLength: derived(u8({ unit: 'octets' })),
};
const name = {
  sessionName: counted(text, {
    field: 'nameLength',
    size: 1,
    back: 1,
    octets: (count) => count,
    count: (octets) => octets,
  }),
  reservedPadding: padding,
};
const affinity = u32({ text: (mask) => `0x${mask.toString(16).padStart(8, '0')}` });

export const SessionAttributeAffinities = object(
  { ...SESSION_ATTRIBUTE, cType: 1, title: 'LSP_TUNNEL_RA', rfc: 'RFC 3209 4.7.2' },
  { excludeAny: affinity, includeAny: affinity, includeAll: affinity, ...priorities },
  name,
);
export const SessionAttribute = object(
  { ...SESSION_ATTRIBUTE, cType: 7, title: 'LSP_TUNNEL', rfc: 'RFC 3209 4.7.1' },
  priorities,
  name,
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |S|                  Reserved                       | Link Flags|
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const Protection = object(
  { class: 'PROTECTION', classNum: 37, cType: 1, title: 'link protection', rfc: 'RFC 3473 6' },
  {
    secondary: flag,
    reserved: bits(25),
    linkFlags: bits(6, {
      bits: {
        0x01: 'extra traffic',
        0x02: 'unprotected',
        0x04: 'shared',
        0x08: 'dedicated 1:1',
        0x10: 'dedicated 1+1',
        0x20: 'enhanced',
      },
    }),
  },
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |R|                        Reserved                       |T|A|D|
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const AdminStatus = object(
  { class: 'ADMIN_STATUS', classNum: 196, cType: 1, title: 'administrative status', rfc: 'RFC 3473 7.1' },
  { reflect: flag, reserved: bits(28), testing: flag, administrativelyDown: flag, deletion: flag },
);

const NOTIFY_REQUEST = { class: 'NOTIFY_REQUEST', classNum: 195, rfc: 'RFC 3473 4.2.1' } as const;
export const NotifyRequestIpv4 = object(
  { ...NOTIFY_REQUEST, cType: 1, title: 'IPv4' },
  { notifyNodeAddress: ipv4 },
);
export const NotifyRequestIpv6 = object(
  { ...NOTIFY_REQUEST, cType: 2, title: 'IPv6' },
  { notifyNodeAddress: ipv6 },
);

/** All ones: an interval that cannot be told (RFC 3473 9.1). */
export const RestartCap = object(
  { class: 'RESTART_CAP', classNum: 131, cType: 1, title: 'restart times', rfc: 'RFC 3473 9.1' },
  { restartTime: u32({ unit: 'ms' }), recoveryTime: u32({ unit: 'ms' }) },
);

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                         Reserved                        |T|R|S|
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export const Capability = object(
  { class: 'CAPABILITY', classNum: 134, cType: 1, title: 'capabilities', rfc: 'RFC 5063 4.2' },
  {
    reserved: bits(29),
    recoveryPathTransmitEnabled: flag,
    recoveryPathDesired: flag,
    recoveryPathSrefreshCapable: flag,
  },
);

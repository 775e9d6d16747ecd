import { bits, ipv4, ipv6, u16, u32, u8 } from '../field.js';
import { object } from '../object.js';

/*
 *  +-------------+-------------+-------------+-------------+
 *  |               IPv4 SrcAddress (4 bytes)               |
 *  +-------------+-------------+-------------+-------------+
 *  |    //////   |    //////   |          SrcPort          |
 *  +-------------+-------------+-------------+-------------+
 */
const port = { reserved: u16(), srcPort: u16() };

/*
 *  +-------------+-------------+-------------+-------------+
 *  //              IPv6 SrcAddress (16 bytes)             //
 *  +-------------+-------------+-------------+-------------+
 *  |   ///////   |         Flow Label (24 bits)            |
 *  +-------------+-------------+-------------+-------------+
 */
const flowLabel = { srcAddress: ipv6, reserved: u8(), flowLabel: bits(24) };

/*
 * The Generalized Port Identifier of an IPsec flow is its Security Parameter Index (RFC 2207 3.2):
 *
 *  +-------------+-------------+-------------+-------------+
 *  |               IPv4 SrcAddress (4 bytes)               |
 *  +-------------+-------------+-------------+-------------+
 *  |         Generalized Port Identifier (GPI)             |
 *  +-------------+-------------+-------------+-------------+
 */
const gpi = { gpi: u32({ text: (spi) => `0x${spi.toString(16).padStart(8, '0')}` }) };

const FILTER_SPEC = { class: 'FILTER_SPEC', classNum: 10 } as const;
const SENDER_TEMPLATE = { class: 'SENDER_TEMPLATE', classNum: 11 } as const;
const A9 = 'RFC 2205 A.9';
const A10 = 'RFC 2205 A.10';
const GPI = 'RFC 2207 3.2';

export const FilterSpecIpv4 = object(
  { ...FILTER_SPEC, cType: 1, title: 'IPv4', rfc: A9 },
  { srcAddress: ipv4, ...port },
);
export const FilterSpecIpv6 = object(
  { ...FILTER_SPEC, cType: 2, title: 'IPv6', rfc: A9 },
  { srcAddress: ipv6, ...port },
);
export const FilterSpecFlowLabel = object(
  { ...FILTER_SPEC, cType: 3, title: 'IPv6 flow label', rfc: A9 },
  flowLabel,
);
export const FilterSpecIpv4Gpi = object(
  { ...FILTER_SPEC, cType: 4, title: 'IPv4/GPI', rfc: GPI },
  { srcAddress: ipv4, ...gpi },
);
export const FilterSpecIpv6Gpi = object(
  { ...FILTER_SPEC, cType: 5, title: 'IPv6/GPI', rfc: GPI },
  { srcAddress: ipv6, ...gpi },
);

export const SenderTemplateIpv4 = object(
  { ...SENDER_TEMPLATE, cType: 1, title: 'IPv4', rfc: A10 },
  { srcAddress: ipv4, ...port },
);
export const SenderTemplateIpv6 = object(
  { ...SENDER_TEMPLATE, cType: 2, title: 'IPv6', rfc: A10 },
  { srcAddress: ipv6, ...port },
);
export const SenderTemplateFlowLabel = object(
  { ...SENDER_TEMPLATE, cType: 3, title: 'IPv6 flow label', rfc: A10 },
  flowLabel,
);
export const SenderTemplateIpv4Gpi = object(
  { ...SENDER_TEMPLATE, cType: 4, title: 'IPv4/GPI', rfc: GPI },
  { srcAddress: ipv4, ...gpi },
);
export const SenderTemplateIpv6Gpi = object(
  { ...SENDER_TEMPLATE, cType: 5, title: 'IPv6/GPI', rfc: GPI },
  { srcAddress: ipv6, ...gpi },
);

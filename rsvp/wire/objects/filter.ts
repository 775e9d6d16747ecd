import { bits, ipv4, ipv6, u16, u32, u8 } from '../field.js';
import type { Fields } from '../layout.js';
import { object } from '../object.js';

/** FILTER_SPEC and SENDER_TEMPLATE: a sender, in one format for both (RFC 2205 A.9, A.10). */

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
const label = { reserved: u8(), flowLabel: bits(24) };

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

/*
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |                   IPv4 tunnel sender address                  |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *  |  MUST be zero                 |            LSP ID             |
 *  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
const lsp = { reserved: u16(), lspId: u16() };

const filterSpec = <F extends Fields>(cType: number, title: string, rfc: string, fields: F) =>
  object({ class: 'FILTER_SPEC', classNum: 10, cType, title, rfc }, fields);
const senderTemplate = <F extends Fields>(cType: number, title: string, rfc: string, fields: F) =>
  object({ class: 'SENDER_TEMPLATE', classNum: 11, cType, title, rfc }, fields);

const A9 = 'RFC 2205 A.9';
const GPI = 'RFC 2207 3.2';
const LSP = 'RFC 3209 4.6.3';
const AGGREGATE = 'RFC 3175 3.5';
export const FilterSpecIpv4 = filterSpec(1, 'IPv4', A9, { srcAddress: ipv4, ...port });
export const FilterSpecIpv6 = filterSpec(2, 'IPv6', A9, { srcAddress: ipv6, ...port });
export const FilterSpecFlowLabel = filterSpec(3, 'IPv6 flow label', A9, { srcAddress: ipv6, ...label });
export const FilterSpecIpv4Gpi = filterSpec(4, 'IPv4/GPI', GPI, { srcAddress: ipv4, ...gpi });
export const FilterSpecIpv6Gpi = filterSpec(5, 'IPv6/GPI', GPI, { srcAddress: ipv6, ...gpi });
export const FilterSpecLspTunnelIpv4 = filterSpec(7, 'LSP_TUNNEL_IPv4', LSP, {
  tunnelSenderAddress: ipv4,
  ...lsp,
});
export const FilterSpecLspTunnelIpv6 = filterSpec(8, 'LSP_TUNNEL_IPv6', LSP, {
  tunnelSenderAddress: ipv6,
  ...lsp,
});
export const FilterSpecAggregateIpv4 = filterSpec(9, 'RSVP-AGGREGATE-IP4', AGGREGATE, {
  aggregatorAddress: ipv4,
});
export const FilterSpecAggregateIpv6 = filterSpec(10, 'RSVP-AGGREGATE-IP6', AGGREGATE, {
  aggregatorAddress: ipv6,
});

const A10 = 'RFC 2205 A.10';
const LSP_SENDER = 'RFC 3209 4.6.2';
const AGGREGATE_SENDER = 'RFC 3175 3.4';
export const SenderTemplateIpv4 = senderTemplate(1, 'IPv4', A10, { srcAddress: ipv4, ...port });
export const SenderTemplateIpv6 = senderTemplate(2, 'IPv6', A10, { srcAddress: ipv6, ...port });
export const SenderTemplateFlowLabel = senderTemplate(3, 'IPv6 flow label', A10, {
  srcAddress: ipv6,
  ...label,
});
export const SenderTemplateIpv4Gpi = senderTemplate(4, 'IPv4/GPI', GPI, { srcAddress: ipv4, ...gpi });
export const SenderTemplateIpv6Gpi = senderTemplate(5, 'IPv6/GPI', GPI, { srcAddress: ipv6, ...gpi });
export const SenderTemplateLspTunnelIpv4 = senderTemplate(7, 'LSP_TUNNEL_IPv4', LSP_SENDER, {
  tunnelSenderAddress: ipv4,
  ...lsp,
});
export const SenderTemplateLspTunnelIpv6 = senderTemplate(8, 'LSP_TUNNEL_IPv6', LSP_SENDER, {
  tunnelSenderAddress: ipv6,
  ...lsp,
});
export const SenderTemplateAggregateIpv4 = senderTemplate(9, 'RSVP-AGGREGATE-IP4', AGGREGATE_SENDER, {
  aggregatorAddress: ipv4,
});
export const SenderTemplateAggregateIpv6 = senderTemplate(10, 'RSVP-AGGREGATE-IP6', AGGREGATE_SENDER, {
  aggregatorAddress: ipv6,
});

import {
  FilterSpecFlowLabel,
  FilterSpecIpv4,
  FilterSpecIpv4Gpi,
  FilterSpecIpv6,
  FilterSpecIpv6Gpi,
  RsvpHopIpv4,
  RsvpHopIpv6,
  SenderTemplateFlowLabel,
  SenderTemplateIpv4,
  SenderTemplateIpv4Gpi,
  SenderTemplateIpv6,
  SenderTemplateIpv6Gpi,
  SessionIpv4,
  SessionIpv4Gpi,
  SessionIpv6,
  SessionIpv6Gpi,
  PROTOCOLS,
} from '../wire/index.js';
import type { WireObject } from '../wire/index.js';

/** Who is meant: sessions, senders and hops as plain values out of their objects, and back. */

/** The "interface" of the applications on this node; the kernel's numbers begin at 1. */
export const LOCAL = 0;

export type IpFamily = 4 | 6;

/** A session (RFC 2205 3.2), or one of IPsec flows (RFC 2207 3.1), whose port is virtual. */
export interface SessionName {
  readonly destination: string;
  readonly protocol: number;
  readonly port: number;
  readonly isGpi?: boolean;
}

export const E_POLICE = 0x01;

export function readSession(object: WireObject): (SessionName & { readonly flags: number }) | undefined {
  if (SessionIpv4.is(object) || SessionIpv6.is(object))
    return {
      destination: object.destAddress,
      protocol: object.protocolId,
      port: object.dstPort,
      flags: object.flags,
    };
  if (SessionIpv4Gpi.is(object) || SessionIpv6Gpi.is(object))
    return {
      destination: object.destAddress,
      protocol: object.protocolId,
      port: object.vDstPort,
      isGpi: true,
      flags: object.flags,
    };
  return undefined;
}

export function sessionObject(name: SessionName, flags = 0): WireObject {
  const { destination: destAddress, protocol: protocolId, port } = name;
  const isIpv6 = familyOf(destAddress) === 6;
  if (name.isGpi === true)
    return (isIpv6 ? SessionIpv6Gpi : SessionIpv4Gpi).make({
      destAddress,
      protocolId,
      flags,
      vDstPort: port,
    });
  return (isIpv6 ? SessionIpv6 : SessionIpv4).make({ destAddress, protocolId, flags, dstPort: port });
}

/** `10.0.0.1/udp/5004`. */
export function sessionText(name: SessionName): string {
  const protocol = PROTOCOLS[name.protocol]?.toLowerCase() ?? String(name.protocol);
  return `${name.destination}/${protocol}/${name.isGpi === true ? 'spi-' : ''}${name.port}`;
}

/** A sender of a session: a SENDER_TEMPLATE, or the FILTER_SPEC of the same C-Type that selects it. */
export interface SenderName {
  readonly cType: number;
  readonly address: string;
  /** Source port, flow label or generalized port identifier, as the C-Type says. */
  readonly port: number;
}

export function readSender(object: WireObject): SenderName | undefined {
  const { cType } = object;
  if (
    SenderTemplateIpv4.is(object) ||
    SenderTemplateIpv6.is(object) ||
    FilterSpecIpv4.is(object) ||
    FilterSpecIpv6.is(object)
  )
    return { cType, address: object.srcAddress, port: object.srcPort };
  if (SenderTemplateFlowLabel.is(object) || FilterSpecFlowLabel.is(object))
    return { cType, address: object.srcAddress, port: object.flowLabel };
  if (
    SenderTemplateIpv4Gpi.is(object) ||
    SenderTemplateIpv6Gpi.is(object) ||
    FilterSpecIpv4Gpi.is(object) ||
    FilterSpecIpv6Gpi.is(object)
  )
    return { cType, address: object.srcAddress, port: object.gpi };
  return undefined;
}

export function templateObject({ cType, address: srcAddress, port }: SenderName): WireObject {
  switch (cType) {
    case 1:
      return SenderTemplateIpv4.make({ srcAddress, srcPort: port });
    case 2:
      return SenderTemplateIpv6.make({ srcAddress, srcPort: port });
    case 3:
      return SenderTemplateFlowLabel.make({ srcAddress, flowLabel: port });
    case 4:
      return SenderTemplateIpv4Gpi.make({ srcAddress, gpi: port });
    default:
      return SenderTemplateIpv6Gpi.make({ srcAddress, gpi: port });
  }
}

export function filterObject({ cType, address: srcAddress, port }: SenderName): WireObject {
  switch (cType) {
    case 1:
      return FilterSpecIpv4.make({ srcAddress, srcPort: port });
    case 2:
      return FilterSpecIpv6.make({ srcAddress, srcPort: port });
    case 3:
      return FilterSpecFlowLabel.make({ srcAddress, flowLabel: port });
    case 4:
      return FilterSpecIpv4Gpi.make({ srcAddress, gpi: port });
    default:
      return FilterSpecIpv6Gpi.make({ srcAddress, gpi: port });
  }
}

export function senderText({ address, port }: SenderName): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export interface HopName {
  readonly address: string;
  /** Logical Interface Handle. */
  readonly handle: number;
}

export function readHop(object: WireObject): HopName | undefined {
  if (RsvpHopIpv4.is(object) || RsvpHopIpv6.is(object))
    return { address: object.hopAddress, handle: object.logicalInterfaceHandle };
  return undefined;
}

export function hopObject(hopAddress: string, logicalInterfaceHandle: number): WireObject {
  return (familyOf(hopAddress) === 6 ? RsvpHopIpv6 : RsvpHopIpv4).make({
    hopAddress,
    logicalInterfaceHandle,
  });
}

export function familyOf(address: string): IpFamily {
  return address.includes(':') ? 6 : 4;
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: string): boolean {
  if (familyOf(address) === 6) return address.startsWith('ff');
  const first = Number.parseInt(address, 10);
  return first >= 224 && first < 240;
}

/** Could it be the address of a node: neither none nor a group? */
export function isUnicast(address: string): boolean {
  if (familyOf(address) === 6) return address !== '::' && !isMulticast(address);
  const first = Number.parseInt(address, 10);
  return first > 0 && first < 224;
}

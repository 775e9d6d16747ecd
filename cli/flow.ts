import {
  FilterSpecFlowLabel,
  FilterSpecIpv4,
  FilterSpecIpv4Gpi,
  FilterSpecIpv6,
  FilterSpecIpv6Gpi,
  firstOf,
  PROTOCOLS,
  RSVP,
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
  Style,
  styleName,
  toHex,
  Writer,
} from '../rsvp/wire/index.js';
import type { WireObject } from '../rsvp/wire/index.js';

/*
 * What RSVP objects are about, as short text. Texts are names as well: two messages are about the same session, senders or
 * flow exactly if the texts are the same. Objects of kinds without a name of their own stand for themselves, in hex.
 */

/** `10.0.0.2/UDP/5004`; undefined where there is no SESSION. */
export function sessionText(objects: readonly WireObject[]): string | undefined {
  const session = firstOf(objects, SessionIpv4, SessionIpv6, SessionIpv4Gpi, SessionIpv6Gpi);
  if (session === undefined) {
    const other = objects.find((object) => object.class === 'SESSION');
    return other === undefined ? undefined : hexText(other);
  }
  const port = 'dstPort' in session ? session.dstPort : session.vDstPort;
  return `${session.destAddress}/${PROTOCOLS[session.protocolId] ?? session.protocolId}/${port}`;
}

/** Is the session's destination a group? */
export function isMulticast(objects: readonly WireObject[]): boolean {
  const address = firstOf(objects, SessionIpv4, SessionIpv6, SessionIpv4Gpi, SessionIpv6Gpi)?.destAddress;
  if (address === undefined) return false;
  if (address.includes(':')) return /^ff/i.test(address);
  const first = Number(address.split('.')[0]);
  return first >= 224 && first < 240;
}

/** `10.0.0.1/5004` of a FILTER_SPEC or a SENDER_TEMPLATE. */
export function senderText(object: WireObject): string {
  const sender = firstOf(
    [object],
    FilterSpecIpv4,
    SenderTemplateIpv4,
    FilterSpecIpv6,
    SenderTemplateIpv6,
    FilterSpecFlowLabel,
    SenderTemplateFlowLabel,
    FilterSpecIpv4Gpi,
    SenderTemplateIpv4Gpi,
    FilterSpecIpv6Gpi,
    SenderTemplateIpv6Gpi,
  );
  if (sender === undefined) return hexText(object, 4);
  if ('srcPort' in sender) return `${sender.srcAddress}/${sender.srcPort}`;
  if ('gpi' in sender) return `${sender.srcAddress}/spi-${sender.gpi}`;
  return `${sender.srcAddress}/label-${sender.flowLabel}`;
}

/** The senders that a message names, in order; none for a wildcard reservation. */
export function senderTexts(objects: readonly WireObject[]): string[] {
  return objects.filter(isSender).map(senderText);
}

export function isSender(object: WireObject): boolean {
  return object.class === 'FILTER_SPEC' || object.class === 'SENDER_TEMPLATE';
}

/** `FF`, `SE` or `WF`. */
export function styleText(objects: readonly WireObject[]): string | undefined {
  const style = firstOf(objects, Style);
  return style === undefined ? undefined : styleName(style.optionVector);
}

/** The neighbour that sent a message, by its RSVP_HOP. */
export function hopAddress(objects: readonly WireObject[]): string | undefined {
  return firstOf(objects, RsvpHopIpv4, RsvpHopIpv6)?.hopAddress;
}

/** Session, style and senders: names the flow of a request. */
export function flowKey(objects: readonly WireObject[]): string {
  return [sessionText(objects) ?? '-', styleText(objects) ?? '-', ...senderTexts(objects).sort()].join(' ');
}

/** Does the octet at `offset`, counted from the first object, belong to a POLICY_DATA object? */
export function isInPolicyData(objects: readonly WireObject[], offset: number): boolean {
  let end = 0;
  for (const object of objects) {
    end += object.length;
    if (offset < end) return object.class === 'POLICY_DATA';
  }
  return false;
}

/** The object's octets from `skip` on. */
function hexText(object: WireObject, skip = 0): string {
  const writer = new Writer();
  RSVP.objects.writeAll(writer, [object]);
  return toHex(writer.finish().subarray(skip));
}

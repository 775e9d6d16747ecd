import { firstOf, styleName } from '../../rsvp/wire/index.js';
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
  Style,
} from '../../rsvp/wire/objects/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { Refused } from './refusal.js';

/** Which packets a request is about. */
export interface Flow {
  readonly address: string;
  readonly protocol: string;
  readonly port: string;
  readonly style: string | undefined;
  readonly hop: string | undefined;
  readonly senders: number;
  readonly senderAddresses: string | undefined;
  readonly senderPorts: string | undefined;
  /** `10.0.0.1/17/5004` */
  readonly session: string;
  /**
   * Names the reservation: its session, style and senders. Refreshes of it, and the same reservation at another router,
   * have the same name; the FLOWSPEC may change within it.
   */
  readonly reservation: string;
}

/**
 * Throws `Refused` where there is no session, or where an object that names packets is there twice or of an unknown kind:
 * what the router reserves must be what the reservation's name says.
 */
export function observeFlow(message: string, objects: readonly WireObject[]): Flow {
  for (const { class: name, classNum } of [SessionIpv4, Style, RsvpHopIpv4]) {
    if (objects.filter((object) => object.classNum === classNum).length > 1)
      throw new Refused('bad-request', `the request has more than one ${name}`);
  }
  const destination = sessionOf(objects);
  const session = `${destination.address}/${destination.protocol}/${destination.port}`;
  const style = firstOf(objects, Style);
  const { classNum } = message.startsWith('Path') ? SenderTemplateIpv4 : FilterSpecIpv4;
  const senders = objects.filter((object) => object.classNum === classNum).map(senderOf);
  const styled = style === undefined ? undefined : styleName(style.optionVector);
  return {
    ...destination,
    session,
    style: styled,
    hop: firstOf(objects, RsvpHopIpv4, RsvpHopIpv6)?.hopAddress,
    senders: senders.length,
    senderAddresses: senders.length === 0 ? undefined : senders.map(({ address }) => address).join(' '),
    senderPorts: senders.length === 0 ? undefined : senders.map(({ port }) => port).join(' '),
    reservation: [
      session,
      styled ?? '-',
      ...senders.map(({ address, port }) => `${address}/${port}`).sort(),
    ].join(' '),
  };
}

function sessionOf(objects: readonly WireObject[]): Pick<Flow, 'address' | 'protocol' | 'port'> {
  const session = firstOf(objects, SessionIpv4, SessionIpv6, SessionIpv4Gpi, SessionIpv6Gpi);
  if (session === undefined) throw new Refused('bad-request', 'the request has no SESSION of a known kind');
  const port = 'dstPort' in session ? session.dstPort : session.vDstPort;
  return { address: session.destAddress, protocol: String(session.protocolId), port: String(port) };
}

function senderOf(object: WireObject): { address: string; port: string } {
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
  if (sender === undefined) throw new Refused('bad-request', `a ${object.class} is of an unknown kind`);
  if ('srcPort' in sender) return { address: sender.srcAddress, port: String(sender.srcPort) };
  if ('gpi' in sender) return { address: sender.srcAddress, port: `spi-${sender.gpi}` };
  return { address: sender.srcAddress, port: `label-${sender.flowLabel}` };
}

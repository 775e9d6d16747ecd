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
  const destination = sessionOf(only(SessionIpv4, objects));
  const session = `${destination.address}/${destination.protocol}/${destination.port}`;
  const styleObject = only(Style, objects);
  const style = Style.is(styleObject) ? styleName(styleObject.optionVector) : undefined;
  const hop = firstOf([only(RsvpHopIpv4, objects)], RsvpHopIpv4, RsvpHopIpv6)?.hopAddress;
  const { classNum } = message.startsWith('Path') ? SenderTemplateIpv4 : FilterSpecIpv4;
  const senders = objects.filter((object) => object.classNum === classNum).map(senderOf);
  const names = senders.map(({ address, port }) => `${address}/${port}`);
  return {
    ...destination,
    session,
    style,
    hop,
    senders: senders.length,
    senderAddresses: senders.length === 0 ? undefined : senders.map(({ address }) => address).join(' '),
    senderPorts: senders.length === 0 ? undefined : senders.map(({ port }) => port).join(' '),
    reservation: [session, style ?? '-', ...names.sort()].join(' '),
  };
}

/** The object of a class, whatever its C-Type; twice is once too often. */
function only(
  type: { readonly class: string; readonly classNum: number },
  objects: readonly WireObject[],
): WireObject {
  let found: WireObject | undefined;
  for (const object of objects) {
    if (object.classNum !== type.classNum) continue;
    if (found !== undefined) throw new Refused('bad-request', `the request has more than one ${type.class}`);
    found = object;
  }
  return found ?? NOTHING;
}

const NOTHING: WireObject = { class: '', classNum: 0, cType: 0, length: 0 };

function sessionOf(object: WireObject): Pick<Flow, 'address' | 'protocol' | 'port'> {
  const session = firstOf([object], SessionIpv4, SessionIpv6, SessionIpv4Gpi, SessionIpv6Gpi);
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

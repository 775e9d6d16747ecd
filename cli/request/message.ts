import {
  ControlledLoad,
  FF,
  FilterSpecIpv4,
  FilterSpecIpv6,
  Flowspec,
  GuaranteedRspec,
  GuaranteedService,
  RsvpHopIpv4,
  RsvpHopIpv6,
  SE,
  SenderTemplateIpv4,
  SenderTemplateIpv6,
  SenderTspec,
  GeneralParameters,
  SessionIpv4,
  SessionIpv6,
  Style,
  TimeValues,
  TokenBucketTspec,
  WF,
} from '../../rsvp/wire/index.js';
import type { RsvpInput, WireObject } from '../../rsvp/wire/index.js';
import type { SessionText } from '../quantities.js';

export const MESSAGES = { path: 1, resv: 2, pathtear: 5, resvtear: 6 } as const;
export type MessageName = keyof typeof MESSAGES;

export const STYLES = { ff: FF, se: SE, wf: WF } as const;
export type StyleName = keyof typeof STYLES;

/** What a request is about, as the command line has it. */
export interface RequestTerms {
  readonly message: MessageName;
  readonly session: SessionText;
  readonly senders: readonly { readonly address: string; readonly port: number }[];
  readonly style: StyleName;
  /** Address of the node that sends the message. */
  readonly hop: string;
  /** bit/s */
  readonly bandwidth: number;
  readonly service: 'controlled-load' | 'guaranteed';
  /** Refresh period, ms. */
  readonly refresh: number;
  readonly ttl: number;
  readonly policyData: readonly WireObject[];
}

/** A message with its objects in the order that RFC 2205 3.1.3 to 3.1.6 recommend. */
export function requestMessage(terms: RequestTerms): RsvpInput {
  const isPath = terms.message === 'path' || terms.message === 'pathtear';
  const isTear = terms.message === 'pathtear' || terms.message === 'resvtear';
  const refresh = isTear ? [] : [TimeValues.make({ refreshPeriod: terms.refresh })];
  return {
    msgType: MESSAGES[terms.message],
    ttl: terms.ttl,
    objects: [
      sessionOf(terms.session),
      hopOf(terms.hop),
      ...refresh,
      ...(isTear ? [] : terms.policyData),
      ...(isPath ? senderDescriptor(terms) : flowDescriptors(terms, isTear)),
    ],
  };
}

function sessionOf({ address, protocol, port }: SessionText): WireObject {
  const fields = { destAddress: address, protocolId: protocol, flags: 0, dstPort: port };
  return isIpv6(address) ? SessionIpv6.make(fields) : SessionIpv4.make(fields);
}

function hopOf(address: string): WireObject {
  const fields = { hopAddress: address, logicalInterfaceHandle: 0 };
  return isIpv6(address) ? RsvpHopIpv6.make(fields) : RsvpHopIpv4.make(fields);
}

function senderDescriptor(terms: RequestTerms): WireObject[] {
  const service = GeneralParameters.make({ flags: 0, parameters: [bucketOf(terms)] });
  const tspec = SenderTspec.make({ version: 0, services: [service] });
  return terms.senders.flatMap(({ address, port }) => {
    const fields = { srcAddress: address, srcPort: port };
    return [isIpv6(address) ? SenderTemplateIpv6.make(fields) : SenderTemplateIpv4.make(fields), tspec];
  });
}

/** FF repeats the FLOWSPEC for each sender, SE has one for all, WF names none (RFC 2205 3.1.4). */
function flowDescriptors(terms: RequestTerms, isTear: boolean): WireObject[] {
  const style = Style.make({ flags: 0, optionVector: STYLES[terms.style] });
  const filters = terms.senders.map(({ address, port }): WireObject => {
    const fields = { srcAddress: address, srcPort: port };
    return isIpv6(address) ? FilterSpecIpv6.make(fields) : FilterSpecIpv4.make(fields);
  });
  const flowspec = isTear ? [] : [flowspecOf(terms)];
  if (terms.style === 'wf') return [style, ...flowspec];
  if (terms.style === 'se') return [style, ...flowspec, ...filters];
  return [style, ...filters.flatMap((filter) => [...flowspec, filter])];
}

function flowspecOf(terms: RequestTerms): WireObject {
  if (terms.service === 'controlled-load') {
    const service = ControlledLoad.make({ flags: 0, parameters: [bucketOf(terms)] });
    return Flowspec.make({ version: 0, services: [service] });
  }
  const rspec = GuaranteedRspec.make({ rate: terms.bandwidth / 8, slackTerm: 0, flags: 0 });
  const service = GuaranteedService.make({ flags: 0, parameters: [bucketOf(terms), rspec] });
  return Flowspec.make({ version: 0, services: [service] });
}

/** A bucket of a tenth of a second, packets of 64 to 1500 octets, a peak of twice the rate. */
function bucketOf({ bandwidth }: RequestTerms) {
  const rate = bandwidth / 8;
  return TokenBucketTspec.make({
    flags: 0,
    tokenBucketRate: rate,
    tokenBucketSize: Math.max(Math.round(rate / 10), MAXIMUM_PACKET),
    peakDataRate: rate * 2,
    minimumPolicedUnit: 64,
    maximumPacketSize: MAXIMUM_PACKET,
  });
}

const MAXIMUM_PACKET = 1500;

function isIpv6(address: string): boolean {
  return address.includes(':');
}

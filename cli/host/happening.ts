import type { HostEvent } from '../../rsvp/host/index.js';
import { rateOf } from '../../rsvp/engine/flow.js';
import {
  Adspec,
  AvailablePathBandwidth,
  BREAK_BIT,
  errorCodeText,
  errorValueText,
  firstOf,
  MinimumPathLatency,
  NumberOfIsHops,
  PathMtu,
} from '../../rsvp/wire/index.js';
import type { Parameter, WireObject } from '../../rsvp/wire/index.js';
import { reasonIn } from '../router/policy/objects.js';
import { rateText } from '../show/text.js';

/** What has happened to a session, for people (`text`) and programs (the rest). */
export interface Happening {
  readonly event: 'path' | 'path-gone' | 'reserved' | 'released' | 'confirmed' | 'path-error' | 'refused';
  readonly text: string;
  readonly [more: string]: unknown;
}

/** An upcall (RFC 2205 3.11.1) in plain words. */
export function happeningOf(event: HostEvent): Happening {
  switch (event.type) {
    case 'PATH_EVENT': {
      const { sender, tspec } = event;
      if (event.state === 'gone')
        return { event: 'path-gone', sender, text: `${sender} does not send any more` };
      const along = adspecOf(event.adspec);
      const text = `${sender} sends up to ${rateText(tspec.rate)}${adspecText(along)}`;
      return { event: 'path', sender, rate: tspec.rate, bucket: tspec.bucket, ...along, text };
    }
    case 'RESV_EVENT': {
      const { style, senders, flow } = event;
      if (flow === undefined)
        return {
          event: 'released',
          style,
          senders,
          text: `nothing is reserved for ${senders.join(', ')} any more`,
        };
      const rate = rateOf(flow);
      const text = `${style} ${rateText(rate)} ${flow.service} is reserved for ${senders.join(', ')}`;
      return { event: 'reserved', style, senders, service: flow.service, rate, text };
    }
    case 'RESV_CONFIRM': {
      const { node, style, flow, senders } = event;
      const rate = flow === undefined ? undefined : rateOf(flow);
      const what = rate === undefined ? '' : ` ${rateText(rate)}`;
      const text = `${style}${what} is confirmed by ${node}`;
      return { event: 'confirmed', node, style, senders, ...(rate === undefined ? {} : { rate }), text };
    }
    case 'PATH_ERROR':
    case 'RESV_ERROR': {
      const { code, value, node, isInPlace, senders } = event;
      const reason = reasonIn(event.policyData);
      const error = `${errorCodeText(code)}${value === 0 ? '' : `, ${errorValueText(code, value)}`}`;
      const kept = isInPlace ? '; what was reserved before stays' : '';
      return {
        event: event.type === 'PATH_ERROR' ? 'path-error' : 'refused',
        node,
        code,
        value,
        isInPlace,
        senders,
        ...(reason === undefined ? {} : { reason }),
        text: `${node} says: error ${error}${reason === undefined ? '' : `: ${reason}`}${kept}`,
      };
    }
  }
}

/** What the path can do, as far as its ADSPEC says (RFC 2210 3.3.1). */
interface Along {
  readonly isHops?: number;
  /** Octets a second. */
  readonly pathBandwidth?: number;
  /** Microseconds. */
  readonly pathLatency?: number;
  readonly pathMtu?: number;
  /** Somewhere on the path nothing is reserved. */
  readonly isBroken?: boolean;
}

const UNKNOWN_LATENCY = 0xffffffff;

function adspecOf(adspec: WireObject | undefined): Along {
  if (adspec === undefined || !Adspec.is(adspec)) return {};
  const general = adspec.services.find(({ number }) => number === 1);
  const parameters: readonly Parameter[] = general?.parameters ?? [];
  const latency = firstOf(parameters, MinimumPathLatency)?.minimumPathLatency;
  return {
    ...defined('isHops', firstOf(parameters, NumberOfIsHops)?.isHopCount),
    ...defined('pathBandwidth', firstOf(parameters, AvailablePathBandwidth)?.pathBandwidth),
    ...(latency === UNKNOWN_LATENCY ? {} : defined('pathLatency', latency)),
    ...defined('pathMtu', firstOf(parameters, PathMtu)?.pathMtu),
    ...(general === undefined ? {} : { isBroken: (general.flags & BREAK_BIT) !== 0 }),
  };
}

function adspecText({ isHops, pathBandwidth, pathMtu, isBroken }: Along): string {
  const parts = [
    ...(isHops === undefined ? [] : [`${isHops} routers reserve on the way`]),
    ...(isBroken === true ? ['some hop does not'] : []),
    ...(pathBandwidth === undefined ? [] : [`the narrowest link carries ${rateText(pathBandwidth)}`]),
    ...(pathMtu === undefined ? [] : [`MTU ${pathMtu}`]),
  ];
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}

function defined<Name extends string>(name: Name, value: number | undefined): { [K in Name]?: number } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]?: number });
}

import { Flowspec, GuaranteedRspec, TokenBucketTspec } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { senderText } from '../flow.js';

/**
 * What a router allocates for several reservations: "the SESSION and STYLE objects along with the merged FLOWSPEC, FILTERSPEC
 * list, and SCOPE object" (RFC 2749 2.3).
 */
export function mergeReservations(all: readonly (readonly WireObject[])[]): WireObject[] {
  const [first = []] = all;
  const of = (name: string): WireObject[] =>
    all.flatMap((objects) => objects.filter((object) => object.class === name));
  const filters = new Map(of('FILTER_SPEC').map((filter) => [senderText(filter), filter]));
  return [
    ...first.filter(({ class: name }) => name === 'SESSION'),
    ...of('SCOPE').slice(0, 1),
    ...first.filter(({ class: name }) => name === 'STYLE'),
    ...of('FLOWSPEC')
      .slice(0, 1)
      .map((flowspec) => of('FLOWSPEC').reduce(mergeFlowspecs, flowspec)),
    ...filters.values(),
  ];
}

/** The merge of RFC 2211 and RFC 2212; of different services, or unknown ones, the first. */
export function mergeFlowspecs(a: WireObject, b: WireObject): WireObject {
  if (!Flowspec.is(a) || !Flowspec.is(b)) return a;
  const [service, other] = [a.services[0], b.services[0]];
  if (
    service === undefined ||
    other?.service !== service.service ||
    !('parameters' in service && 'parameters' in other)
  )
    return a;
  const theirs = other.parameters as readonly object[];
  const parameters = (service.parameters as readonly object[]).map((mine) => {
    for (const their of theirs) {
      if (TokenBucketTspec.is(mine) && TokenBucketTspec.is(their)) {
        return {
          ...mine,
          tokenBucketRate: Math.max(mine.tokenBucketRate, their.tokenBucketRate),
          tokenBucketSize: Math.max(mine.tokenBucketSize, their.tokenBucketSize),
          peakDataRate: Math.max(mine.peakDataRate, their.peakDataRate),
          minimumPolicedUnit: Math.min(mine.minimumPolicedUnit, their.minimumPolicedUnit),
          maximumPacketSize: Math.min(mine.maximumPacketSize, their.maximumPacketSize),
        };
      }
      if (GuaranteedRspec.is(mine) && GuaranteedRspec.is(their)) {
        return {
          ...mine,
          rate: Math.max(mine.rate, their.rate),
          slackTerm: Math.min(mine.slackTerm, their.slackTerm),
        };
      }
    }
    return mine;
  });
  return { ...a, services: [{ ...service, parameters }] } as WireObject;
}

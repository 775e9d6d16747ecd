import {
  Adspec,
  AvailablePathBandwidth,
  BREAK_BIT,
  ComposedCsum,
  ComposedCtot,
  ComposedDsum,
  ComposedDtot,
  ControlledLoad,
  GeneralParameters,
  GuaranteedService,
  MinimumPathLatency,
  NumberOfIsHops,
  PathMtu,
} from '../wire/index.js';
import type { Parameter, ServiceFragment, WireObject } from '../wire/index.js';
import type { NodeInterface } from './node.js';

/** What this node says of itself and of the link that an ADSPEC leaves by (RFC 2205 3.11.2's TC_Advertise). */
export interface Advertisement {
  readonly interface: NodeInterface;
  /** There is a hop without RSVP between the previous hop and us (RFC 2205 3.8). */
  readonly isAfterNonRsvpHop: boolean;
  /** Does the node do integrated services itself? A host without traffic control does not and counts as no IS hop. */
  readonly isIsHop: boolean;
}

const UNKNOWN_LATENCY = 0xffffffff;
/** RFC 2215 3.3: the largest bandwidth there is; what a sender begins with. */
const NO_LIMIT = 40e12;

/**
 * The ADSPEC as it goes on (RFC 2210 3.3): general parameters composed by the rules of RFC 2215, those of guaranteed service
 * by RFC 2212, and a break bit for what this node, or a hop before or behind it, does not do. A fragment that is not there
 * stays away: the sender does not want that service.
 */
export function updateAdspec(adspec: WireObject, advertisement: Advertisement): WireObject {
  if (!Adspec.is(adspec)) return adspec;
  const services = adspec.services.map((fragment) => updateFragment(fragment, advertisement));
  return Adspec.make({ version: adspec.version, services });
}

/** For a sender that gives none: both services, nothing known yet (RFC 2210 2.1). */
export function defaultAdspec(): WireObject {
  return Adspec.make({
    version: 0,
    services: [
      fragment(1, 'Default General Parameters', [
        NumberOfIsHops.make({ isHopCount: 0 }),
        AvailablePathBandwidth.make({ pathBandwidth: NO_LIMIT }),
        MinimumPathLatency.make({ minimumPathLatency: 0 }),
        PathMtu.make({ pathMtu: 0xffff }),
      ]),
      fragment(2, 'Guaranteed', zeroErrorTerms()),
      fragment(5, 'Controlled-Load', []),
    ],
  });
}

function fragment(number: number, service: string, parameters: readonly Parameter[]): ServiceFragment {
  return { service, number, flags: 0, length: 0, parameters };
}

function zeroErrorTerms(): readonly Parameter[] {
  return [
    ComposedCtot.make({ ctot: 0 }),
    ComposedDtot.make({ dtot: 0 }),
    ComposedCsum.make({ csum: 0 }),
    ComposedDsum.make({ dsum: 0 }),
  ];
}

function updateFragment(fragment: ServiceFragment, advertisement: Advertisement): ServiceFragment {
  if (GeneralParameters.is(fragment)) {
    const isBroken = advertisement.isAfterNonRsvpHop || advertisement.interface.isBroken === true;
    const flags = isBroken ? fragment.flags | BREAK_BIT : fragment.flags;
    return { ...fragment, flags, parameters: compose(fragment.parameters, advertisement) };
  }
  if (GuaranteedService.is(fragment)) {
    // RFC 2210 3.3.3: a fragment that is only a header is filled in first; its break bit stays.
    const parameters = fragment.parameters.length === 0 ? zeroErrorTerms() : fragment.parameters;
    return { ...fragment, parameters: compose(parameters, advertisement) };
  }
  if (ControlledLoad.is(fragment))
    return { ...fragment, parameters: compose(fragment.parameters, advertisement) };
  // RFC 2210 3.3: a service that is not known gets its break bit, whatever it holds.
  return { ...fragment, flags: fragment.flags | BREAK_BIT };
}

/** General parameters that stand in a service's fragment override the global ones (RFC 2210 3.3.5) and compose alike. */
function compose(parameters: readonly Parameter[], advertisement: Advertisement): readonly Parameter[] {
  return parameters.map((parameter) => composed(parameter, advertisement));
}

function composed(parameter: Parameter, { interface: link, isIsHop }: Advertisement): Parameter {
  const { flags } = parameter;
  if (NumberOfIsHops.is(parameter))
    return isIsHop && parameter.isHopCount < 0xffffffff
      ? NumberOfIsHops.make({ flags, isHopCount: parameter.isHopCount + 1 })
      : parameter;
  if (AvailablePathBandwidth.is(parameter))
    return AvailablePathBandwidth.make({
      flags,
      pathBandwidth: Math.min(parameter.pathBandwidth, link.bandwidth),
    });
  if (MinimumPathLatency.is(parameter)) {
    const sum = parameter.minimumPathLatency + (link.latency ?? UNKNOWN_LATENCY);
    return MinimumPathLatency.make({ flags, minimumPathLatency: Math.min(sum, UNKNOWN_LATENCY) });
  }
  if (PathMtu.is(parameter)) return PathMtu.make({ flags, pathMtu: Math.min(parameter.pathMtu, link.mtu) });
  if (!isIsHop) return parameter;
  const c = errorC(link);
  const d = errorD(link);
  if (ComposedCtot.is(parameter)) return ComposedCtot.make({ flags, ctot: clamp(parameter.ctot + c) });
  if (ComposedDtot.is(parameter)) return ComposedDtot.make({ flags, dtot: clamp(parameter.dtot + d) });
  if (ComposedCsum.is(parameter)) return ComposedCsum.make({ flags, csum: clamp(parameter.csum + c) });
  if (ComposedDsum.is(parameter)) return ComposedDsum.make({ flags, dsum: clamp(parameter.dsum + d) });
  return parameter;
}

/** RFC 2212's C and D of weighted fair queueing: one packet at the reserved rate, and one that is on the wire already. */
function errorC(link: NodeInterface): number {
  return link.mtu;
}

function errorD(link: NodeInterface): number {
  return link.bandwidth > 0 ? Math.ceil((link.mtu * 1e6) / link.bandwidth) : 0;
}

function clamp(value: number): number {
  return Math.min(value, 0xffffffff);
}

import type { Family, Member } from './family.js';
import { RsvpCodec } from './message.js';
import { objectFamily } from './object.js';
import type { AnyObjectType, WireObject } from './object.js';
import { ResvConfirmIpv4, ResvConfirmIpv6 } from './objects/confirm.js';
import { ErrorSpecIpv4, ErrorSpecIpv6 } from './objects/errorSpec.js';
import * as filter from './objects/filter.js';
import { RsvpHopIpv4, RsvpHopIpv6 } from './objects/hop.js';
import { Challenge, Integrity } from './objects/integrity.js';
import { policyData } from './objects/policyData.js';
import * as session from './objects/session.js';
import { ScopeIpv4, ScopeIpv6, Style } from './objects/style.js';
import { TimeValues } from './objects/time.js';
import { Adspec, Flowspec, SenderTspec } from './objects/traffic.js';
import { POLICY_ELEMENTS, policyElements } from './policy.js';
import type { PolicyElement } from './policy.js';

/** What a codec knows beyond this folder. */
export interface RsvpExtensions {
  readonly objects?: readonly AnyObjectType[];
  readonly policyElements?: readonly Member<PolicyElement>[];
}

/** Every RSVP object we know but POLICY_DATA, which depends on the policy elements that a codec knows. */
const OBJECTS: readonly AnyObjectType[] = [
  ...Object.values(session),
  RsvpHopIpv4,
  RsvpHopIpv6,
  Integrity,
  TimeValues,
  ErrorSpecIpv4,
  ErrorSpecIpv6,
  ScopeIpv4,
  ScopeIpv6,
  Style,
  Flowspec,
  ...Object.values(filter),
  SenderTspec,
  Adspec,
  ResvConfirmIpv4,
  ResvConfirmIpv6,
  Challenge,
];

/** A codec that knows more; of two declarations with one number, the later one counts. */
export function rsvpWith(extensions: RsvpExtensions): RsvpCodec {
  const elements = policyElements([...POLICY_ELEMENTS, ...(extensions.policyElements ?? [])]);
  const family: Family<WireObject> = objectFamily({ what: 'object', rfc: 'RFC 2205 3.1.2', padded: false }, [
    ...OBJECTS,
    policyData(() => family, elements),
    ...(extensions.objects ?? []),
  ]);
  return new RsvpCodec(family);
}

export const RSVP = rsvpWith({});

/** Tells POLICY_DATA from other objects and makes it, whatever the codec. */
export const PolicyData = policyData(() => RSVP.objects, policyElements(POLICY_ELEMENTS));

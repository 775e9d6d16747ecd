import type { Family, Member } from './family.js';
import { RsvpCodec } from './message.js';
import { objectFamily } from './object.js';
import type { AnyObjectType, WireObject } from './object.js';
import * as confirm from './objects/confirm.js';
import * as dclass from './objects/dclass.js';
import * as diagnosis from './objects/diagnosis.js';
import * as errorSpec from './objects/errorSpec.js';
import * as filter from './objects/filter.js';
import * as hop from './objects/hop.js';
import * as integrity from './objects/integrity.js';
import * as label from './objects/label.js';
import { nestingObjects } from './objects/nested.js';
import { policyData } from './objects/policyData.js';
import * as refresh from './objects/refresh.js';
import * as session from './objects/session.js';
import * as style from './objects/style.js';
import * as time from './objects/time.js';
import * as traffic from './objects/traffic.js';
import * as tunnel from './objects/tunnel.js';
import { POLICY_ELEMENTS, policyElements } from './policy.js';
import type { PolicyElement } from './policy.js';

/** What a codec knows beyond this folder. */
export interface RsvpExtensions {
  readonly objects?: readonly AnyObjectType[];
  readonly policyElements?: readonly Member<PolicyElement>[];
}

/** Every RSVP object we know but those that hold objects, and so depend on what a codec knows. */
const OBJECTS: readonly AnyObjectType[] = [
  session,
  hop,
  integrity,
  time,
  errorSpec,
  style,
  traffic,
  filter,
  confirm,
  label,
  tunnel,
  refresh,
  diagnosis,
  dclass,
].flatMap((file) => Object.values<AnyObjectType>(file));

/** A codec that knows more; of two declarations with one number, the later one counts. */
export function rsvpWith(extensions: RsvpExtensions): RsvpCodec {
  const elements = policyElements([...POLICY_ELEMENTS, ...(extensions.policyElements ?? [])]);
  const family: Family<WireObject> = objectFamily({ what: 'object', rfc: 'RFC 2205 3.1.2', padded: false }, [
    ...OBJECTS,
    ...nestingObjects(() => family),
    policyData(() => family, elements),
    ...(extensions.objects ?? []),
  ]);
  return new RsvpCodec(family);
}

export const RSVP = rsvpWith({});

/** Tells POLICY_DATA from other objects and makes it, whatever the codec. */
export const PolicyData = policyData(() => RSVP.objects, policyElements(POLICY_ELEMENTS));

import type { Family } from '../family.js';
import { derived, u16 } from '../field.js';
import { object } from '../object.js';
import type { ObjectType, WireObject } from '../object.js';
import type { PolicyElement } from '../policy.js';
import { counted, membersOf } from '../tail.js';

/** What a POLICY_DATA object holds. */
export interface PolicyDataFields {
  /** From the first octet of the object to the policy elements. */
  readonly dataOffset: number;
  readonly reserved: number;
  /** RSVP objects with a meaning of their own (RFC 2750 3.2): FILTER_SPEC, SCOPE, RSVP_HOP, INTEGRITY, TIME_VALUES. */
  readonly options: readonly WireObject[];
  readonly elements: readonly PolicyElement[];
}
export interface PolicyDataInput {
  readonly options?: readonly WireObject[];
  readonly elements: readonly PolicyElement[];
}

/*
 *  +---------------------------+-------------+-------------+
 *  |  Data Offset              | 0 (reserved)              |
 *  +---------------------------+-------------+-------------+
 *  // Option List                                         //
 *  +-------------------------------------------------------+
 *  // Policy Element List                                 //
 *  +-------------------------------------------------------+
 */
/** POLICY_DATA whose options are of the one family and whose elements are of the other. */
export function policyData(
  options: () => Family<WireObject>,
  elements: Family<PolicyElement>,
): ObjectType<PolicyDataFields, PolicyDataInput> {
  return object(
    { class: 'POLICY_DATA', classNum: 14, cType: 1, title: 'policy data', rfc: 'RFC 2750 3.1' },
    { dataOffset: derived(u16({ unit: 'octets' })), reserved: u16() },
    {
      options: counted(membersOf(options), {
        field: 'dataOffset',
        size: 2,
        back: 4,
        octets: (offset) => offset - HEADERS,
        count: (octets) => octets + HEADERS,
      }),
      elements: membersOf(elements),
    },
  );
}

/** The object header and the word with Data Offset. */
const HEADERS = 8;

import { styleName } from './style.js';

/** Error codes and values of ERROR_SPEC by name (RFC 2205 Appendix B and the documents that add to it). */
export const ERROR_CODES: Readonly<Record<number, string>> = {
  0: 'Confirmation',
  1: 'Admission Control failure',
  2: 'Policy Control failure',
  3: 'No path information for this Resv message',
  4: 'No sender information for this Resv message',
  5: 'Conflicting reservation style',
  6: 'Unknown reservation style',
  7: 'Conflicting dest ports',
  8: 'Conflicting sender ports',
  12: 'Service preempted',
  13: 'Unknown object class',
  14: 'Unknown object C-Type',
  20: 'Reserved for API',
  21: 'Traffic Control Error',
  22: 'Traffic Control System error',
  23: 'RSVP System error',
  24: 'Routing Problem', // RFC 3209 7.3
  25: 'Notify Error', // RFC 3209 7.3
  26: 'NEW-AGGREGATE-NEEDED', // RFC 3175 3.2
};

/** Policy Control failure: values of RFC 2750 Appendix A and RFC 4495 5.1. */
export const POLICY_ERROR = {
  ERR_INFO: 0,
  ERR_WARN: 1,
  ERR_UNKNOWN: 2,
  ERR_REJECT: 3,
  ERR_EXCEED: 4,
  ERR_PREEMPT: 5,
  ERR_EXPIRED: 6,
  ERR_REPLACED: 7,
  ERR_MERGE: 8,
  ERR_PDP: 9,
  ERR_SERVER: 10,
  ERR_PD_SYNTX: 11,
  ERR_PD_INTGR: 12,
  ERR_PE_BAD: 13,
  ERR_PD_MISS: 14,
  ERR_NO_RSC: 15,
  ERR_RSVP: 16,
  ERR_SERVICE: 17,
  ERR_STYLE: 18,
  ERR_FL_SPEC: 19,
  ERR_PARTIAL_PREEMPT: 102,
} as const;
export type PolicyErrorName = keyof typeof POLICY_ERROR;

const POLICY_MEANINGS: Readonly<Record<PolicyErrorName, string>> = {
  ERR_INFO: 'information reporting',
  ERR_WARN: 'warning',
  ERR_UNKNOWN: 'reason unknown',
  ERR_REJECT: 'generic policy rejection',
  ERR_EXCEED: 'quota or accounting violation',
  ERR_PREEMPT: 'flow was preempted',
  ERR_EXPIRED: 'previously installed policy expired',
  ERR_REPLACED: 'previous policy data was replaced and caused rejection',
  ERR_MERGE: 'policies could not be merged',
  ERR_PDP: 'PDP down or not functioning',
  ERR_SERVER: 'third party server unavailable',
  ERR_PD_SYNTX: 'POLICY_DATA object has bad syntax',
  ERR_PD_INTGR: 'POLICY_DATA object failed integrity check',
  ERR_PE_BAD: 'policy element has bad syntax',
  ERR_PD_MISS: 'mandatory policy element missing',
  ERR_NO_RSC: 'PEP out of resources to handle policies',
  ERR_RSVP: 'PDP encountered bad RSVP objects or syntax',
  ERR_SERVICE: 'service type was rejected',
  ERR_STYLE: 'reservation style was rejected',
  ERR_FL_SPEC: 'flowspec was rejected (too large)',
  ERR_PARTIAL_PREEMPT: 'flow was partially preempted',
};

const POLICY_VALUES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(POLICY_ERROR).map(([name, value]) => [
    value,
    `${name}: ${POLICY_MEANINGS[name as PolicyErrorName]}`,
  ]),
);

/** Globally defined sub-codes: the low 12 bits of the value (RFC 2205 Appendix B, code 01). */
const SUB_CODES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  1: {
    1: 'Delay bound cannot be met',
    2: 'Requested bandwidth unavailable',
    3: 'MTU in flowspec larger than interface MTU',
  },
  12: {},
  21: {
    1: 'Service conflict',
    2: 'Service unsupported',
    3: 'Bad Flowspec value',
    4: 'Bad Tspec value',
    5: 'Bad Adspec value',
  },
  25: {
    1: 'RRO too large for MTU',
    2: 'RRO notification',
    3: 'Tunnel locally repaired',
    4: 'Control Channel Active State', // RFC 3473 13
    5: 'Control Channel Degraded State',
  },
};

/** Whole values. */
const VALUES: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  2: POLICY_VALUES,
  24: {
    1: 'Bad EXPLICIT_ROUTE object',
    2: 'Bad strict node',
    3: 'Bad loose node',
    4: 'Bad initial subobject',
    5: 'No route available toward destination',
    6: 'Unacceptable label value',
    7: 'RRO indicated routing loops',
    8: 'MPLS being negotiated, but a non-RSVP-capable router stands in the path',
    9: 'MPLS label allocation failure',
    10: 'Unsupported L3PID',
    11: 'Label Set', // RFC 3473 13
    12: 'Switching Type',
    14: 'Unsupported Encoding',
    15: 'Unsupported Link Protection',
  },
};

export function errorCodeText(code: number): string {
  return `${code} (${ERROR_CODES[code] ?? 'unknown'})`;
}

/** `2 (Requested bandwidth unavailable)`: what a value means hangs on its code. */
export function errorValueText(code: number, value: number): string {
  const name = errorValueName(code, value);
  return name === undefined ? String(value) : `${value} (${name})`;
}

/** The RFC's name of an error value; undefined where it has none. */
export function errorValueName(code: number, value: number): string | undefined {
  const subCodes = SUB_CODES[code];
  if (subCodes !== undefined) return subCodeName(subCodes, value);
  const values = VALUES[code];
  if (values !== undefined) return values[value] ?? (value === 0 ? undefined : 'unknown');
  // RFC 2205 Appendix B: the class and C-Type that nobody knew; the style that is in the way.
  if (code === 13 || code === 14) return `class ${value >> 8}, C-Type ${value & 0xff}`;
  if (code === 5) return `existing style ${styleName(value)}`;
  return undefined;
}

/** The value reads `ssur cccc cccc cccc`. */
function subCodeName(names: Readonly<Record<number, string>>, value: number): string | undefined {
  const subCode = value & 0x0fff;
  const informational = (value & 0x2000) === 0 ? '' : ', state may be updated';
  switch (value >> 14) {
    case 0:
      return subCode === 0 && informational === ''
        ? undefined
        : `${names[subCode] ?? 'unknown'}${informational}`;
    case 2:
      return `organization-specific ${subCode}${informational}`;
    case 3:
      return `service-specific ${subCode}${informational}`;
    default:
      return `reserved${informational}`;
  }
}

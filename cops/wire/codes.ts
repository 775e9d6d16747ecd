/** The numbers of COPS and their names, spelled as RFC 2748 spells them. */

export const COPS_VERSION = 1;
/** RFC 2748 2.3: the well-known TCP port. */
export const COPS_PORT = 3288;
/** RFC 2749 2.1. */
export const CLIENT_TYPE_RSVP = 1;
/** RFC 2748 2.1: set when the message is solicited by another COPS message. */
export const SOLICITED = 0x1;

/** Operations (RFC 2748 2.1). */
export const OP = {
  REQ: 1,
  DEC: 2,
  RPT: 3,
  DRQ: 4,
  SSQ: 5,
  OPN: 6,
  CAT: 7,
  CC: 8,
  KA: 9,
  SSC: 10,
} as const;

export const OP_NAMES: Readonly<Record<number, string>> = {
  1: 'REQ',
  2: 'DEC',
  3: 'RPT',
  4: 'DRQ',
  5: 'SSQ',
  6: 'OPN',
  7: 'CAT',
  8: 'CC',
  9: 'KA',
  10: 'SSC',
};

export const OP_TITLES: Readonly<Record<number, string>> = {
  1: 'Request',
  2: 'Decision',
  3: 'Report State',
  4: 'Delete Request State',
  5: 'Synchronize State Request',
  6: 'Client-Open',
  7: 'Client-Accept',
  8: 'Client-Close',
  9: 'Keep-Alive',
  10: 'Synchronize State Complete',
};

/** Object classes (RFC 2748 2.2). */
export const C_NUM = {
  HANDLE: 1,
  CONTEXT: 2,
  IN_INT: 3,
  OUT_INT: 4,
  REASON: 5,
  DECISION: 6,
  LPDP_DECISION: 7,
  ERROR: 8,
  CLIENT_SI: 9,
  KA_TIMER: 10,
  PEPID: 11,
  REPORT_TYPE: 12,
  PDP_REDIR_ADDR: 13,
  LAST_PDP_ADDR: 14,
  ACCT_TIMER: 15,
  INTEGRITY: 16,
} as const;

/** C-Types of the Integrity object: RFC 2748 2.2.16 and RFC 4261 4.1. */
export const INTEGRITY_HMAC = 1;
export const INTEGRITY_TLS = 2;
/** RFC 4261 4.1. */
export const START_TLS = 0x0001;

/** R-Type flags of a Context (RFC 2748 2.2.2). */
export const R_TYPE = {
  incoming: 0x01,
  allocation: 0x02,
  outgoing: 0x04,
  configuration: 0x08,
} as const;

export const R_TYPE_NAMES: Readonly<Record<number, string>> = {
  0x01: 'Incoming-Message/Admission Control',
  0x02: 'Resource-Allocation',
  0x04: 'Outgoing-Message',
  0x08: 'Configuration',
};

/** Command-Codes of a Decision (RFC 2748 2.2.6). */
export const COMMAND = { null: 0, install: 1, remove: 2 } as const;
export const COMMAND_NAMES: Readonly<Record<number, string>> = {
  0: 'NULL Decision',
  1: 'Install',
  2: 'Remove',
};
export const TRIGGER_ERROR = 0x01;

/** Reason-Codes of a Delete Request State (RFC 2748 2.2.5). */
export const REASON = {
  unspecified: 1,
  management: 2,
  preempted: 3,
  tear: 4,
  timeout: 5,
  routeChange: 6,
  insufficientResources: 7,
  pdpsDirective: 8,
  unsupportedDecision: 9,
  synchronizeHandleUnknown: 10,
  transientHandle: 11,
  malformedDecision: 12,
  unknownCopsObject: 13,
} as const;

export const REASON_NAMES: Readonly<Record<number, string>> = {
  1: 'Unspecified',
  2: 'Management',
  3: 'Preempted',
  4: 'Tear',
  5: 'Timeout',
  6: 'Route Change',
  7: 'Insufficient Resources',
  8: "PDP's Directive",
  9: 'Unsupported decision',
  10: 'Synchronize Handle Unknown',
  11: 'Transient Handle',
  12: 'Malformed Decision',
  13: 'Unknown COPS Object from PDP',
};

/** Error-Codes (RFC 2748 2.2.8). */
export const ERROR = {
  badHandle: 1,
  invalidHandleReference: 2,
  badMessageFormat: 3,
  unableToProcess: 4,
  mandatoryClientInfoMissing: 5,
  unsupportedClientType: 6,
  mandatoryObjectMissing: 7,
  clientFailure: 8,
  communicationFailure: 9,
  unspecified: 10,
  shuttingDown: 11,
  redirect: 12,
  unknownObject: 13,
  authenticationFailure: 14,
  authenticationRequired: 15,
} as const;

export const ERROR_NAMES: Readonly<Record<number, string>> = {
  1: 'Bad handle',
  2: 'Invalid handle reference',
  3: 'Bad message format',
  4: 'Unable to process',
  5: 'Mandatory client-specific info missing',
  6: 'Unsupported client-type',
  7: 'Mandatory COPS object missing',
  8: 'Client Failure',
  9: 'Communication Failure',
  10: 'Unspecified',
  11: 'Shutting down',
  12: 'Redirect to Preferred Server',
  13: 'Unknown COPS Object',
  14: 'Authentication Failure',
  15: 'Authentication Required',
};

/** Report-Types (RFC 2748 2.2.12). RFC 2749 calls a report of success `commit`, one of failure `no-commit`. */
export const REPORT = { success: 1, failure: 2, accounting: 3 } as const;
export const REPORT_NAMES: Readonly<Record<number, string>> = { 1: 'Success', 2: 'Failure', 3: 'Accounting' };

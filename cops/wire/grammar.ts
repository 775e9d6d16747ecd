import { C_NUM, ERROR, OP, OP_NAMES } from './codes.js';
import { fault } from './fault.js';
import type { Fault } from './fault.js';
import type { MessageView } from './view.js';

/**
 * The BNF of RFC 2748 3, as "what may follow what": each object stands at one place of each message, so a table of
 * followers says the same as the productions. `.` is the end of the message. A Decision or LPDPDecision with C-Type 1
 * (Flags) is written `Decision`, one with data `DecisionData`; the Context of an LPDP decision is `LpdpContext`.
 *
 * Two places are wider than the text. The data objects of one decision may come in any order and number ("the only
 * ordering requirement for decision objects is that the required Decision Flags object type MUST precede the other
 * Decision object types", RFC 2748 3.2). A report may hold several ClientSI, because COPS-PR's do (RFC 3084 3.3).
 */
const BNF: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  [OP.REQ]: {
    begin: 'Handle',
    Handle: 'Context',
    Context: 'InInt OutInt ClientSi LpdpContext Lpdp Integrity .',
    InInt: 'OutInt ClientSi LpdpContext Lpdp Integrity .',
    OutInt: 'ClientSi LpdpContext Lpdp Integrity .',
    ClientSi: 'ClientSi LpdpContext Lpdp Integrity .',
    LpdpContext: 'Lpdp',
    Lpdp: 'LpdpData LpdpContext Lpdp Integrity .',
    LpdpData: 'LpdpData LpdpContext Lpdp Integrity .',
    Integrity: '.',
  },
  [OP.DEC]: {
    begin: 'Handle',
    Handle: 'Context Error',
    Context: 'Decision',
    Decision: 'DecisionData Context Integrity .',
    DecisionData: 'DecisionData Context Integrity .',
    Error: 'Integrity .',
    Integrity: '.',
  },
  [OP.RPT]: {
    begin: 'Handle',
    Handle: 'ReportType',
    ReportType: 'ClientSi Integrity .',
    ClientSi: 'ClientSi Integrity .',
    Integrity: '.',
  },
  [OP.DRQ]: { begin: 'Handle', Handle: 'Reason', Reason: 'Integrity .', Integrity: '.' },
  [OP.SSQ]: { begin: 'Handle Integrity .', Handle: 'Integrity .', Integrity: '.' },
  [OP.OPN]: {
    begin: 'PepId',
    PepId: 'ClientSi LastPdpAddr Integrity .',
    ClientSi: 'LastPdpAddr Integrity .',
    LastPdpAddr: 'Integrity .',
    Integrity: '.',
  },
  [OP.CAT]: { begin: 'KaTimer', KaTimer: 'AcctTimer Integrity .', AcctTimer: 'Integrity .', Integrity: '.' },
  [OP.CC]: { begin: 'Error', Error: 'PdpRedirAddr Integrity .', PdpRedirAddr: 'Integrity .', Integrity: '.' },
  [OP.KA]: { begin: 'Integrity .', Integrity: '.' },
  [OP.SSC]: { begin: 'Handle Integrity .', Handle: 'Integrity .', Integrity: '.' },
};

/** Objects whose absence is "Mandatory COPS object missing" and not merely a bad format. */
const MANDATORY: Readonly<Record<number, readonly number[]>> = {
  [OP.REQ]: [C_NUM.HANDLE, C_NUM.CONTEXT],
  [OP.DEC]: [C_NUM.HANDLE],
  [OP.RPT]: [C_NUM.HANDLE, C_NUM.REPORT_TYPE],
  [OP.DRQ]: [C_NUM.HANDLE, C_NUM.REASON],
  [OP.SSQ]: [],
  [OP.OPN]: [C_NUM.PEPID],
  [OP.CAT]: [C_NUM.KA_TIMER],
  [OP.CC]: [C_NUM.ERROR],
  [OP.KA]: [],
  [OP.SSC]: [],
};

/** Does a scanned message say something that RFC 2748 3 lets it say? */
export function check(view: MessageView): Fault | undefined {
  const { opCode, count } = view;
  const followers = FOLLOWERS[opCode];
  if (followers === undefined)
    return fault(ERROR.badMessageFormat, `operation ${opCode} is unknown (RFC 2748 2.1)`);
  let state = BEGIN;
  for (let i = 0; i < count; i++) {
    const key = view.keys[i] as number;
    let symbol = key >> 8;
    if ((symbol === C_NUM.DECISION || symbol === C_NUM.LPDP_DECISION) && (key & 0xff) !== 1) symbol += DATA;
    else if (symbol === C_NUM.CONTEXT && opCode === OP.REQ && state !== C_NUM.HANDLE) symbol = LPDP_CONTEXT;
    if ((((followers[state] as number) >>> symbol) & 1) === 0) return misplaced(view, i);
    state = symbol;
  }
  if (((followers[state] as number) & 1) === 0) return misplaced(view, count);
  return checkValues(view);
}

/** Values that the RFC excludes. Codes that later documents may add are let through where nothing hangs on them. */
function checkValues(view: MessageView): Fault | undefined {
  switch (view.opCode) {
    case OP.REQ: {
      // R-Type flags may be combined (RFC 2748 2.2.2); none, or others, mean nothing.
      const rType = view.high(1);
      if (rType === 0 || rType > 0x0f) return outOfRange('R-Type', rType, 'RFC 2748 2.2.2');
      return undefined;
    }
    case OP.DEC:
      for (let i = view.find(C_NUM.DECISION); i !== -1; i = view.find(C_NUM.DECISION, i + 1)) {
        if ((view.keys[i] as number) === ((C_NUM.DECISION << 8) | 1) && view.high(i) > 2) {
          return outOfRange('Command-Code', view.high(i), 'RFC 2748 2.2.6');
        }
      }
      return undefined;
    case OP.RPT: {
      const type = view.high(1);
      return type < 1 || type > 3 ? outOfRange('Report-Type', type, 'RFC 2748 2.2.12') : undefined;
    }
    case OP.DRQ:
      // A reason beyond the table is treated as "Unspecified" by whoever reads it.
      return view.high(1) === 0 ? outOfRange('Reason-Code', 0, 'RFC 2748 2.2.5') : undefined;
    case OP.CC: {
      const index = view.find(C_NUM.PDP_REDIR_ADDR);
      if (index === -1) return undefined;
      const end = (view.at[index] as number) + view.length(index);
      const port = ((view.octets[end - 2] as number) << 8) | (view.octets[end - 1] as number);
      return port === 0 ? outOfRange('TCP Port Number', 0, 'RFC 2748 2.2.13') : undefined;
    }
    case OP.KA:
      return view.clientType === 0 ? undefined : outOfRange('client-type', view.clientType, 'RFC 2748 3.9');
    default:
      return undefined;
  }
}

function outOfRange(field: string, value: number, rfc: string): Fault {
  return fault(ERROR.badMessageFormat, `${field} ${value} is not allowed (${rfc})`);
}

function misplaced(view: MessageView, index: number): Fault {
  const op = OP_NAMES[view.opCode] ?? '';
  const missing = MANDATORY[view.opCode]?.find((cNum) => view.find(cNum) === -1);
  if (missing !== undefined) {
    return fault(ERROR.mandatoryObjectMissing, `${op} without the object of C-Num ${missing} (RFC 2748 3)`);
  }
  if (index === view.count) return fault(ERROR.badMessageFormat, `${op} ends too early (RFC 2748 3)`);
  const offset = (view.at[index] as number) - view.start;
  const cNum = (view.keys[index] as number) >> 8;
  return fault(
    ERROR.badMessageFormat,
    `C-Num ${cNum} at octet ${offset} does not belong there in ${op} (RFC 2748 3)`,
  );
}

/*
 * The table, compiled to bits: FOLLOWERS[opCode][state] has bit n set where the object n may come next, bit 0 where
 * the message may end. Objects are numbered by their C-Num; those that the C-Num does not tell apart come behind.
 */
const BEGIN = 0;
const DATA = 16;
const LPDP_CONTEXT = 30;
const SYMBOLS: Readonly<Record<string, number>> = {
  begin: BEGIN,
  '.': 0,
  Handle: C_NUM.HANDLE,
  Context: C_NUM.CONTEXT,
  InInt: C_NUM.IN_INT,
  OutInt: C_NUM.OUT_INT,
  Reason: C_NUM.REASON,
  Decision: C_NUM.DECISION,
  DecisionData: C_NUM.DECISION + DATA,
  Lpdp: C_NUM.LPDP_DECISION,
  LpdpData: C_NUM.LPDP_DECISION + DATA,
  LpdpContext: LPDP_CONTEXT,
  Error: C_NUM.ERROR,
  ClientSi: C_NUM.CLIENT_SI,
  KaTimer: C_NUM.KA_TIMER,
  PepId: C_NUM.PEPID,
  ReportType: C_NUM.REPORT_TYPE,
  PdpRedirAddr: C_NUM.PDP_REDIR_ADDR,
  LastPdpAddr: C_NUM.LAST_PDP_ADDR,
  AcctTimer: C_NUM.ACCT_TIMER,
  Integrity: C_NUM.INTEGRITY,
};

const FOLLOWERS: readonly (Int32Array | undefined)[] = Array.from({ length: 256 }, (_, opCode) => {
  const rules = BNF[opCode];
  if (rules === undefined) return undefined;
  const bits = new Int32Array(32);
  for (const [state, followers] of Object.entries(rules)) {
    const mask = followers.split(' ').reduce((all, follower) => all | (1 << symbol(follower)), 0);
    bits[symbol(state)] = mask;
  }
  return bits;
});

function symbol(name: string): number {
  const number = SYMBOLS[name];
  if (number === undefined) throw new Error(`the grammar names an unknown object \`${name}\``);
  return number;
}

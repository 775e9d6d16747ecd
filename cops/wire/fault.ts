/**
 * What is wrong with a message a peer sent, already as the COPS error that says so (RFC 2748 2.2.8). A value, never
 * thrown: bad octets are an ordinary input of the state machines.
 */
export interface Fault {
  /** Error-Code. */
  readonly errorCode: number;
  /** Error Sub-code; for an unknown object its C-Num and C-Type. */
  readonly errorSubCode: number;
  /** For the log: what, at which octet, and the rule. */
  readonly problem: string;
}

export function fault(errorCode: number, problem: string, errorSubCode = 0): Fault {
  return { errorCode, errorSubCode, problem };
}

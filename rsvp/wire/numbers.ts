export interface MessageType {
  readonly msgType: number;
  /** The RFC's name. */
  readonly name: string;
  readonly rfc: string;
}

/** Message types: RFC 2205 3.1 and the documents that add to it. */
export const MESSAGES: readonly MessageType[] = [
  { msgType: 1, name: 'Path', rfc: 'RFC 2205 3.1.3' },
  { msgType: 2, name: 'Resv', rfc: 'RFC 2205 3.1.4' },
  { msgType: 3, name: 'PathErr', rfc: 'RFC 2205 3.1.7' },
  { msgType: 4, name: 'ResvErr', rfc: 'RFC 2205 3.1.8' },
  { msgType: 5, name: 'PathTear', rfc: 'RFC 2205 3.1.5' },
  { msgType: 6, name: 'ResvTear', rfc: 'RFC 2205 3.1.6' },
  { msgType: 7, name: 'ResvConf', rfc: 'RFC 2205 3.1.9' },
  { msgType: 8, name: 'DREQ', rfc: 'RFC 2745 3.1' },
  { msgType: 9, name: 'DREP', rfc: 'RFC 2745 3.1' },
  { msgType: 10, name: 'ResvTearConfirm', rfc: 'IANA' },
  { msgType: 12, name: 'Bundle', rfc: 'RFC 2961 3.1' },
  { msgType: 13, name: 'Ack', rfc: 'RFC 2961 4.4' },
  { msgType: 15, name: 'Srefresh', rfc: 'RFC 2961 5.2' },
  { msgType: 20, name: 'Hello', rfc: 'RFC 3209 5.1' },
  { msgType: 21, name: 'Notify', rfc: 'RFC 3473 4.3' },
  // RFC 2747 had 11 and 12, and 12 met the Bundle.
  { msgType: 25, name: 'Integrity Challenge', rfc: 'RFC 3097 2' },
  { msgType: 26, name: 'Integrity Response', rfc: 'RFC 3097 2' },
  { msgType: 30, name: 'RecoveryPath', rfc: 'RFC 5063 4.1' },
  { msgType: 66, name: 'DSBM_willing', rfc: 'RFC 2814' },
  { msgType: 67, name: 'I_AM_DSBM', rfc: 'RFC 2814' },
];

export const MESSAGE_TYPES: Readonly<Record<number, string>> = Object.fromEntries(
  MESSAGES.map(({ msgType, name }) => [msgType, name]),
);

/** IP protocol numbers that sessions are made of. */
export const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  6: 'TCP',
  17: 'UDP',
  46: 'RSVP',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  132: 'SCTP',
};

/** What to do with an object of a class that is not known. */
export type UnknownClassAction = 'reject' | 'ignore' | 'forward';

/**
 * The two high bits of a Class-Num say what a node does that does not know it (RFC 2205 3.10): 0bbbbbbb rejects the
 * message with `Unknown object class`, 10bbbbbb ignores the object, 11bbbbbb ignores it and forwards it unmodified.
 */
export function unknownClassAction(classNum: number): UnknownClassAction {
  if ((classNum & 0x80) === 0) return 'reject';
  return (classNum & 0x40) === 0 ? 'ignore' : 'forward';
}

/** Message types (RFC 2205 3.1.1 and the documents that add to it). */
export const MESSAGE_TYPES: Readonly<Record<number, string>> = {
  1: 'Path',
  2: 'Resv',
  3: 'PathErr',
  4: 'ResvErr',
  5: 'PathTear',
  6: 'ResvTear',
  7: 'ResvConf',
  8: 'DREQ', // RFC 2745
  9: 'DREP', // RFC 2745
  10: 'ResvTearConfirm', // registered with IANA, in no RFC
  12: 'Bundle', // RFC 2961
  13: 'Ack', // RFC 2961
  15: 'Srefresh', // RFC 2961
  20: 'Hello', // RFC 3209
  21: 'Notify', // RFC 3473
  25: 'Integrity Challenge', // RFC 3097 2
  26: 'Integrity Response', // RFC 3097 2
  30: 'RecoveryPath', // RFC 5063 8
  66: 'DSBM_willing', // RFC 2814
  67: 'I_AM_DSBM', // RFC 2814
};

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

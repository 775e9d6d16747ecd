/**
 * What is wrong with a capture, said at its place. Reading never throws for what a file holds: a fault
 * travels with the packet it concerns, or alone, and reading goes on with the next packet.
 */
export type FaultCode =
  /** Not a capture, or a record or block of it is damaged. */
  | 'format'
  /** The file ends within a record. */
  | 'cut-short'
  /** A link type that is not read, or a link header that makes no sense. */
  | 'link'
  /** An IP, UDP or TCP header that contradicts itself or the frame. */
  | 'header'
  /** A checksum of the IP header or of UDP is wrong. */
  | 'checksum'
  /** The capture holds less of the packet than was sent (snap length). */
  | 'truncated'
  /** Fragments never came, or too many were waiting. */
  | 'fragments-missing'
  /** Fragments overlap with different octets (RFC 5722: IPv6 fragments may not overlap at all). */
  | 'fragments-overlap'
  /** Octets of a TCP stream are not in the capture. */
  | 'stream-gap'
  /** A TCP stream was met within a message, or lost its message boundaries. */
  | 'stream-sync'
  /** A COPS message header with an impossible length. */
  | 'framing';

export interface Fault {
  readonly code: FaultCode;
  /** What was found and what was expected, lower case, without a full stop. */
  readonly message: string;
  /** The layer and the octet in the frame or file: `IPv4 header at octet 14`. */
  readonly where: string;
}

export const NO_FAULTS: readonly Fault[] = Object.freeze([]);

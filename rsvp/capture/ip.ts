import type { Fault } from './fault.js';

/** An IP header with its options or extension headers, and where the payload lies. */
export interface IpHeader {
  readonly src: string;
  readonly dst: string;
  /** Of the payload: behind the last extension header. */
  readonly protocol: number;
  readonly ttl: number;
  readonly routerAlert: number | undefined;
  /** The payload, in the frame's octets. */
  readonly start: number;
  readonly end: number;
  readonly fragment: FragmentPlace | undefined;
  readonly faults: readonly Fault[];
}

export interface FragmentPlace {
  readonly identification: number;
  readonly offset: number;
  readonly more: boolean;
}

/** An IP header that can't be read. */
export interface IpRefusal {
  readonly fault: Fault;
}

export function isRefusal(header: object): header is IpRefusal {
  return 'fault' in header;
}

export function refusal(layer: string, at: number, message: string): IpRefusal {
  return { fault: { code: 'header', message, where: `${layer} header at octet ${at}` } };
}

export function truncated(layer: string, at: number, have: number, announced: number): Fault {
  return {
    code: 'truncated',
    message: `the capture holds ${have} of the packet's ${announced} octets`,
    where: `${layer} header at octet ${at}`,
  };
}

export function hex16(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}

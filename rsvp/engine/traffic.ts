import type { WireObject } from '../wire/index.js';

/** Traffic control as the engine sees it (RFC 2205 3.11.2), one a reservation and outgoing interface. */
export interface TrafficReservation {
  /** Never used twice by one engine. */
  readonly id: number;
  /** Index of the interface that the data leaves by. */
  readonly interface: number;
  readonly session: WireObject;
  readonly style: 'FF' | 'SE' | 'WF';
  /** Whose packets: FILTER_SPEC objects, none for WF (any sender). They share what is reserved. */
  readonly filters: readonly WireObject[];
  /** What is in force after merging; rates in octets a second, sizes in octets. */
  readonly service: 'controlled-load' | 'guaranteed';
  readonly rate: number;
  readonly bucket: number;
  readonly peak: number;
  readonly minimumPolicedUnit: number;
  readonly maximumPacketSize: number;
  /** RFC 2205 3.8, 3.11.2's TC_Flags: police here at the entry, the branch or the merge point. */
  readonly police: { readonly entry: boolean; readonly branch: boolean; readonly merge: boolean };
}

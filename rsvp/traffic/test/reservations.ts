import type { TrafficReservation } from '../../engine/traffic.js';
import { FilterSpecIpv4, FilterSpecIpv6, SessionIpv4, SessionIpv6 } from '../../wire/index.js';
import type { ControlledInterface } from '../control.js';

export const UDP = 17;

/** 10 Mbit/s. */
export const LINK: ControlledInterface = { name: 'eth1', index: 7, mtu: 1500, rate: 1_250_000 };

/** A reservation of 2 Mbit/s for packets of 10.0.0.1, port 5004, to 10.0.9.9, port 5004. */
export function reservation(change: Partial<TrafficReservation> = {}): TrafficReservation {
  return {
    id: 1,
    interface: LINK.index,
    session: session4('10.0.9.9', 5004),
    style: 'FF',
    filters: [filter4('10.0.0.1', 5004)],
    service: 'controlled-load',
    rate: 250_000,
    bucket: 20_000,
    peak: Number.POSITIVE_INFINITY,
    minimumPolicedUnit: 1014,
    maximumPacketSize: 1500,
    police: { entry: false, branch: false, merge: false },
    ...change,
  };
}

export const session4 = (destAddress: string, dstPort: number, protocolId = UDP) =>
  SessionIpv4.make({ destAddress, protocolId, flags: 0, dstPort });
export const session6 = (destAddress: string, dstPort: number, protocolId = UDP) =>
  SessionIpv6.make({ destAddress, protocolId, flags: 0, dstPort });
export const filter4 = (srcAddress: string, srcPort: number) =>
  FilterSpecIpv4.make({ srcAddress, reserved: 0, srcPort });
export const filter6 = (srcAddress: string, srcPort: number) =>
  FilterSpecIpv6.make({ srcAddress, reserved: 0, srcPort });

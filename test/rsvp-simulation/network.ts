import type { SentPacket } from '../../rsvp/engine/index.js';
import type { Scheduler } from '../simulation/scheduler.js';
import type { Station } from './station.js';
import type { Port, Site } from './topology.js';
import { isGroup } from './topology.js';

/** How badly packets fare. */
export interface Troubles {
  readonly lost: number;
  readonly duplicated: number;
  /** Milliseconds that a packet may take beyond its link's delay: so they overtake each other. */
  readonly jitter: number;
}

export const NO_TROUBLES: Troubles = { lost: 0, duplicated: 0, jitter: 0 };

/** Carries packets between stations, as kernels and links would. */
export class Network {
  troubles: Troubles = NO_TROUBLES;
  sent = 0;
  /** Messages that carry a MESSAGE_ID_NACK. */
  refused = 0;
  /** Are they looked for? */
  isWatched = false;
  readonly stations = new Map<Site, Station>();

  constructor(
    readonly scheduler: Scheduler,
    /** For whoever reads along. */
    readonly told: ((from: Port, packet: SentPacket, fate: string) => void) | undefined,
  ) {}

  send(from: Station, packet: SentPacket): void {
    this.sent++;
    if (this.isWatched && hasNack(packet.octets)) this.refused++;
    const out = from.site.ports[packet.interface - 1];
    if (out === undefined) throw new Error(`${from.site.name} sends by interface ${packet.interface}`);
    const receivers = this.#receivers(from, out, packet);
    if (!out.link.isUp || receivers.length === 0) {
      this.told?.(out, packet, 'nobody is there');
      return;
    }
    for (const to of receivers) this.#carry(out, to, packet);
  }

  #carry(out: Port, to: Port, packet: SentPacket): void {
    const { scheduler, troubles } = this;
    if (troubles.lost > 0 && scheduler.chance(troubles.lost)) {
      this.told?.(out, packet, `to ${to.site.name} lost`);
      return;
    }
    const copies = troubles.duplicated > 0 && scheduler.chance(troubles.duplicated) ? 2 : 1;
    this.told?.(out, packet, `to ${to.site.name}${copies > 1 ? ' twice' : ''}`);
    for (let n = 0; n < copies; n++) {
      const delay = out.link.delay + (troubles.jitter > 0 ? scheduler.random() * troubles.jitter : 0);
      scheduler.at(scheduler.now + delay, () => {
        if (out.link.isUp) this.stations.get(to.site)?.arrives(to, out, packet);
      });
    }
  }

  #receivers(from: Station, out: Port, { destination }: SentPacket): readonly Port[] {
    const others = out.link.ports.filter((port) => port !== out);
    if (isGroup(destination))
      return others.filter(({ site }) => !site.isHost || this.stations.get(site)?.hasJoined(destination));
    const direct = others.find(({ addresses }) => addresses.includes(destination));
    if (direct !== undefined) return [direct];
    const owner = from.routes.topology.portOf(destination)?.site;
    const hop = owner === undefined ? undefined : from.routes.next(from.site, owner);
    return hop?.out === out ? [hop.to] : [];
  }
}

const HEADER = 8;

/** MESSAGE_ID_NACK is class 24, C-Type 2 (RFC 2961 4.3). Messages in a Bundle are looked at as well. */
function hasNack(octets: Uint8Array): boolean {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const isBundle = view.getUint8(1) === 12;
  for (let at = HEADER; at + 4 <= octets.length;) {
    const length = view.getUint16(isBundle ? at + 6 : at);
    if (isBundle ? hasNack(octets.subarray(at, at + length)) : view.getUint16(at + 2) === 0x1802) return true;
    at += Math.max(length, 4);
  }
  return false;
}

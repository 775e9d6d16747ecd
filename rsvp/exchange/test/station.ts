import { find, RSVP, RsvpHopIpv4, SenderTemplateIpv4, SessionIpv4 } from '../../wire/index.js';
import type { RsvpMessage, WireObject } from '../../wire/index.js';
import type { ArrivedPacket, SentPacket } from '../../engine/packet.js';
import type { EngineEvent } from '../../engine/event.js';
import type { Advert, ArrivedMessage } from '../advert.js';
import { Exchange } from '../exchange.js';
import type { ExchangeInterface, ExchangeOptions } from '../options.js';
import type { Outgoing } from '../outgoing.js';

/** An exchange with an address, and what it has said so far. */
export class Station {
  readonly exchange: Exchange;
  readonly sent: SentPacket[] = [];
  readonly events: EngineEvent[] = [];

  constructor(
    readonly address: string,
    settings: Partial<ExchangeInterface> = {},
    options: Partial<ExchangeOptions> = {},
  ) {
    this.exchange = new Exchange({
      codec: RSVP,
      random: () => 0.5,
      interface: (index) => (index === 1 ? { mtu: 1500, ...settings } : undefined),
      epoch: 0xabcdef,
      firstMessageIdentifier: 1000,
      firstSequenceNumber: 5n << 32n,
      secret: new Uint8Array([1, 2, 3]),
      ...options,
    });
  }

  /** What it has to say now; also kept in `sent` and `events`. */
  flush(): SentPacket[] {
    const packets: SentPacket[] = [];
    for (const effect of this.exchange.effects())
      if (effect.kind === 'send') packets.push(effect.packet);
      else this.events.push(effect.event);
    this.sent.push(...packets);
    return packets;
  }

  messages(): RsvpMessage[] {
    return this.flush().map(({ octets }) => RSVP.decode(octets));
  }

  /** All timers up to `now`, each at its time. */
  run(now: number): SentPacket[] {
    const packets: SentPacket[] = [];
    for (let due = this.exchange.nextTimeout(); due !== undefined && due <= now;) {
      this.exchange.handleTimeout(due);
      packets.push(...this.flush());
      due = this.exchange.nextTimeout();
    }
    this.exchange.handleTimeout(now);
    return [...packets, ...this.flush()];
  }

  /** A packet of this station as it arrives elsewhere. */
  arrival(packet: SentPacket): ArrivedPacket {
    const { octets, destination, ttl, source = this.address } = packet;
    return { interface: 1, source, destination, ttl, octets };
  }

  hear(now: number, from: Station, packets: readonly SentPacket[]): ArrivedMessage[] {
    return packets.flatMap((packet) => this.exchange.receive(now, from.arrival(packet)));
  }

  /** An advert of a Path from this station, of a session by its port. */
  path(port: number, to: { neighbour?: string; group?: string; refreshPeriod?: number } = {}): Advert {
    const destination = to.group ?? '10.9.0.2';
    return {
      interface: 1,
      source: '10.1.0.1',
      destination,
      routerAlert: true,
      ttl: 64,
      refreshPeriod: to.refreshPeriod ?? 30_000,
      ...(to.neighbour === undefined ? {} : { neighbour: to.neighbour }),
      message: () => ({ msgType: 1, objects: [...this.#head(port, destination), sender(port)] }),
    };
  }

  resv(port: number, previousHop: string, refreshPeriod = 30_000): Advert {
    return {
      interface: 1,
      destination: previousHop,
      routerAlert: false,
      ttl: 255,
      neighbour: previousHop,
      refreshPeriod,
      message: () => ({ msgType: 2, objects: this.#head(port, '10.9.0.2') }),
    };
  }

  tear(port: number, neighbour: string, msgType = 6): Outgoing {
    const to = { interface: 1, destination: neighbour, routerAlert: false, ttl: 255 };
    return { ...to, isReliable: true, message: { msgType, objects: this.#head(port, '10.9.0.2') } };
  }

  #head(port: number, destAddress: string): WireObject[] {
    return [
      SessionIpv4.make({ destAddress, protocolId: 17, flags: 0, dstPort: port }),
      RsvpHopIpv4.make({ hopAddress: this.address, logicalInterfaceHandle: 1 }),
    ];
  }
}

function sender(srcPort: number): WireObject {
  return SenderTemplateIpv4.make({ srcAddress: '10.1.0.1', srcPort });
}

export function portOf(message: RsvpMessage): number {
  return find(message, SessionIpv4)!.dstPort;
}

export const classes = (message: RsvpMessage): string[] => message.objects.map((object) => object.class);

/** Has a station hear that the other one is capable of refresh reduction: a message of it arrives. */
export function introduce(now: number, station: Station, other: Station): void {
  other.exchange.send(now, { ...other.tear(1, station.address), isReliable: false });
  station.hear(now, other, other.flush());
}

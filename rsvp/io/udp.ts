import type { ArrivedPacket, SentPacket } from '../engine/packet.js';
import { isMulticast } from './address.js';
import { NativeSocket, RawSocketError, type SocketKind } from './native.js';
import { decodeRecords, familyOf, type Family, type RecordPacket } from './records.js';
import { SocketSender } from './sender.js';
import {
  NO_STATISTICS,
  type Transport,
  type TransportReceiver,
  type TransportStatistics,
} from './transport.js';

/** What hosts send to, and what routers and raw hosts send to (RFC 2205 Appendix C: Pu and Pu'). */
export const PU = 1698;
export const PU_PRIME = 1699;
/** G*: all that is RSVP on the local network. The IPv6 one is IANA's. */
export const GROUP = { 4: '224.0.0.14', 6: 'ff02::e' } as const;

/** Encapsulated messages are for the local network. */
const LOCAL_TTL = 1;
const PATH = 1;
const RECEIVE_BUFFER = 1 << 20;

export interface UdpInterface {
  readonly index: number;
  readonly addresses: readonly string[];
}

export interface UdpTransportOptions {
  /** `host` is Hu of RFC 2205 Appendix C, which has UDP alone. `router` is R and Hr, beside a raw transport. */
  readonly role: 'host' | 'router';
  readonly interfaces: readonly UdpInterface[];
  /** Routers: interfaces where a host needs UDP, though none has said so with a Path yet. */
  readonly encapsulated?: readonly number[];
  /**
   * Hosts: Ra, the router that a message is to go to; undefined where it is for the local network. With a TTL (Ta) where
   * routers without RSVP lie before that router: then messages of multicast sessions go there as well.
   */
  readonly firstHop?: (packet: SentPacket) => { readonly address: string; readonly ttl?: number } | undefined;
}

/** RSVP in UDP (RFC 2205 Appendix C). No privilege is needed. */
export class UdpTransport implements Transport {
  readonly #options: UdpTransportOptions;
  readonly #senders = new Map<Family, SocketSender>();
  readonly #sockets: NativeSocket[] = [];
  readonly #encapsulated: Set<number>;
  #interfaces = new Map<number, UdpInterface>();
  #receiver: TransportReceiver | undefined;
  #received = 0;
  #foreign = 0;
  #last = NO_STATISTICS;

  constructor(options: UdpTransportOptions) {
    this.#options = options;
    this.#encapsulated = new Set(options.encapsulated);
  }

  start(receiver: TransportReceiver): void {
    if (this.#receiver !== undefined) throw new TypeError('the transport has been started');
    this.#receiver = receiver;
    try {
      this.#open('udp4');
      this.#open('udp6');
    } catch (error) {
      void this.close();
      throw error;
    }
    this.setInterfaces(this.#options.interfaces);
  }

  /** They have changed: the group is joined on new ones. */
  setInterfaces(interfaces: readonly UdpInterface[]): void {
    const before = this.#interfaces;
    this.#interfaces = new Map(interfaces.map((one) => [one.index, one]));
    for (const index of this.#encapsulated) {
      if (before.has(index) && !this.#interfaces.has(index)) this.#encapsulated.delete(index);
    }
    for (const { index, addresses } of interfaces) {
      const had = before.get(index)?.addresses.map(familyOf) ?? [];
      for (const [family, { socket }] of this.#senders) {
        if (had.includes(family) || !addresses.some((address) => familyOf(address) === family)) continue;
        this.#join(socket, index);
      }
    }
  }

  /** Whether messages that leave here are sent in UDP as well: configured, or a host has sent a Path in UDP. */
  isEncapsulated(networkInterface: number): boolean {
    return this.#options.role === 'host' || this.#encapsulated.has(networkInterface);
  }

  send(packets: readonly SentPacket[]): void {
    const outgoing = packets
      .filter((packet) => this.isEncapsulated(packet.interface))
      .map((packet) => this.#wrapped(packet));
    for (const [family, sender] of this.#senders) {
      sender.send(outgoing.filter(({ destination }) => familyOf(destination) === family));
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.drained()));
    this.#last = this.statistics;
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#senders.clear();
  }

  get statistics(): TransportStatistics {
    const senders = [...this.#senders.values()];
    const sum = (of: (sender: SocketSender) => number): number =>
      senders.reduce((all, one) => all + of(one), 0);
    if (senders.length === 0) return this.#last;
    return {
      received: this.#received,
      sent: sum(({ sent }) => sent),
      failed: sum(({ failed }) => failed),
      overflowed: sum(({ overflowed }) => overflowed),
      dropped: this.#sockets.reduce((all, socket) => all + socket.numbers().dropped, 0),
      foreign: this.#foreign,
    };
  }

  /** Where Figures 13 and 14 send it. The source is ours: RSVP_HOP says who sent it. */
  #wrapped({ interface: at, destination, octets, ...packet }: SentPacket): RecordPacket {
    const common = { interface: at, octets, routerAlert: false };
    // Beyond the local network another router with RSVP is the hop, not whoever D is.
    if (this.#options.role === 'router') return { ...common, destination, ttl: LOCAL_TTL, port: PU_PRIME };
    const known = this.#options.firstHop?.({ interface: at, destination, octets, ...packet });
    const group = isMulticast(destination) ? GROUP[familyOf(destination) ?? 4] : undefined;
    const hop = group !== undefined && known?.ttl === undefined ? undefined : known;
    return {
      ...common,
      destination: hop?.address ?? group ?? destination,
      ttl: hop?.ttl ?? LOCAL_TTL,
      port: PU,
    };
  }

  #open(kind: SocketKind): void {
    try {
      const sender = this.#socket(kind, PU);
      this.#senders.set(sender.socket.family, sender);
      // Routers and raw hosts ignore Pu': they have had the same message by raw IP.
      if (this.#options.role === 'host') this.#socket(kind, PU_PRIME);
    } catch (error) {
      if (kind === 'udp6' && error instanceof RawSocketError && error.code === 'EAFNOSUPPORT') return;
      throw error;
    }
  }

  #socket(kind: SocketKind, port: number): SocketSender {
    const sender: SocketSender = new SocketSender(
      new NativeSocket({
        kind,
        port,
        receiveBuffer: RECEIVE_BUFFER,
        onBatch: (batch) => this.#take(decodeRecords(batch, sender.socket.family), port),
        onWritable: () => sender.resume(),
        onError: (code) => this.#receiver?.trouble({ doing: 'receive', code }),
      }),
      (trouble) => this.#receiver?.trouble(trouble),
    );
    this.#sockets.push(sender.socket);
    return sender;
  }

  #take(all: readonly ArrivedPacket[], port: number): void {
    const packets: ArrivedPacket[] = [];
    for (const packet of all) {
      if (!this.#isFor(packet, port)) {
        this.#foreign++;
        continue;
      }
      if (this.#options.role === 'router' && packet.octets[1] === PATH)
        this.#encapsulated.add(packet.interface);
      // RFC 2205 Appendix C: Send_TTL is the effective TTL, whatever the IP header's was.
      packets.push({ ...packet, ttl: packet.octets[4] ?? 0, isUdp: true });
    }
    this.#received += packets.length;
    if (packets.length > 0) this.#receiver?.packets(packets);
  }

  /** The Receive columns of Figures 13 and 14, with Note 2: an address of the interface that it came in by. */
  #isFor({ interface: at, destination }: ArrivedPacket, port: number): boolean {
    const here = this.#interfaces.get(at);
    if (here === undefined) return false;
    if (!isMulticast(destination)) return here.addresses.includes(destination);
    const isGroup = destination === GROUP[4] || destination === GROUP[6];
    return port === PU ? isGroup : !isGroup;
  }

  #join(socket: NativeSocket, networkInterface: number): void {
    try {
      socket.join(GROUP[socket.family], networkInterface);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      // An address that went and came back: the membership was there all the time.
      if (code !== 'EADDRINUSE')
        this.#receiver?.trouble({ doing: 'join', code, interface: networkInterface });
    }
  }
}

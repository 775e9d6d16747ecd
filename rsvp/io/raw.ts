import type { ArrivedPacket, SentPacket } from '../engine/packet.js';
import { InterceptedIpv6 } from './intercepted.js';
import { NativeSocket, RawSocketError, type SocketKind } from './native.js';
import { decodeRecords, familyOf, type Family } from './records.js';
import { SocketSender } from './sender.js';
import {
  NO_STATISTICS,
  type Transport,
  type TransportReceiver,
  type TransportStatistics,
} from './transport.js';

export interface RawTransportOptions {
  /**
   * A router: messages with Router Alert that are addressed to others, and would be forwarded, come here instead (RFC
   * 2205 3.7). The kernel must forward (`net.ipv4.ip_forward`), else it throws them away.
   */
  readonly intercepts: boolean;
  /** Octets that may wait in the kernel, for each socket. */
  readonly receiveBuffer?: number;
  /** Milliseconds; for fragments that never become whole. */
  readonly now?: () => number;
}

const RECEIVE_BUFFER = 4 << 20;

/** RSVP in IP, protocol 46, IPv4 and IPv6 (RFC 2205 3.7). */
export class RawTransport implements Transport {
  readonly #options: Required<RawTransportOptions>;
  readonly #intercepted = new InterceptedIpv6();
  readonly #senders = new Map<Family, SocketSender>();
  #interceptor: NativeSocket | undefined;
  #receiver: TransportReceiver | undefined;
  #received = 0;
  #last = NO_STATISTICS;

  constructor(options: RawTransportOptions) {
    this.#options = { receiveBuffer: RECEIVE_BUFFER, now: () => performance.now(), ...options };
  }

  start(receiver: TransportReceiver): void {
    if (this.#receiver !== undefined) throw new TypeError('the transport has been started');
    this.#receiver = receiver;
    try {
      this.#senders.set(4, this.#open('raw4'));
      this.#startIpv6();
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  send(packets: readonly SentPacket[]): void {
    const wrong = packets.find(({ destination }) => familyOf(destination) === undefined);
    if (wrong !== undefined) throw new TypeError(`destination: \`${wrong.destination}\` is no IP address`);
    for (const family of [4, 6] as const) {
      const group = packets.filter(({ destination }) => familyOf(destination) === family);
      if (group.length === 0) continue;
      const sender = this.#senders.get(family);
      if (sender !== undefined) sender.send(group);
      else for (const { destination } of group) this.#cannotSend(destination);
    }
  }

  /** Packets to a multicast group come in by this interface from now on; throws as the kernel refuses. */
  join(group: string, networkInterface: number): void {
    this.#socketOf(group).join(group, networkInterface);
  }

  leave(group: string, networkInterface: number): void {
    this.#socketOf(group).leave(group, networkInterface);
  }

  /** The process may end though nobody has closed. */
  unref(): void {
    for (const socket of this.#sockets()) socket.unref();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#senders.values()].map((sender) => sender.drained()));
    this.#last = this.statistics;
    for (const socket of this.#sockets()) socket.close();
    this.#senders.clear();
    this.#interceptor = undefined;
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
      dropped: this.#sockets().reduce((all, socket) => all + socket.numbers().dropped, 0),
      foreign: this.#intercepted.foreign,
    };
  }

  /** A kernel without IPv6 is no trouble until an IPv6 packet is to be sent. */
  #startIpv6(): void {
    try {
      this.#senders.set(6, this.#open('raw6'));
    } catch (error) {
      if (error instanceof RawSocketError && error.code === 'EAFNOSUPPORT') return;
      throw error;
    }
    if (this.#options.intercepts) this.#interceptor = this.#open('intercept6').socket;
  }

  #open(kind: SocketKind): SocketSender {
    const take = (batch: Uint8Array): void => {
      const packets = decodeRecords(batch, sender.socket.family);
      this.#take(kind === 'intercept6' ? this.#uncovered(packets) : packets);
    };
    const sender: SocketSender = new SocketSender(
      new NativeSocket({
        kind,
        intercepts: this.#options.intercepts,
        receiveBuffer: this.#options.receiveBuffer,
        onBatch: take,
        onWritable: () => sender.resume(),
        onError: (code) => this.#receiver?.trouble({ doing: 'receive', code }),
      }),
      (trouble) => this.#receiver?.trouble(trouble),
    );
    return sender;
  }

  #uncovered(packets: readonly ArrivedPacket[]): ArrivedPacket[] {
    const now = this.#options.now();
    return packets.flatMap((packet) => this.#intercepted.message(packet, now) ?? []);
  }

  #take(packets: readonly ArrivedPacket[]): void {
    this.#received += packets.length;
    if (packets.length > 0) this.#receiver?.packets(packets);
  }

  #cannotSend(destination: string): void {
    this.#receiver?.trouble({ doing: 'send', code: 'EAFNOSUPPORT', destination });
  }

  #socketOf(group: string): NativeSocket {
    const family = familyOf(group);
    const sender = family === undefined ? undefined : this.#senders.get(family);
    if (sender === undefined) throw new TypeError(`group: no socket for \`${group}\``);
    return sender.socket;
  }

  #sockets(): NativeSocket[] {
    const all = [...this.#senders.values()].map(({ socket }) => socket);
    return this.#interceptor === undefined ? all : [...all, this.#interceptor];
  }
}

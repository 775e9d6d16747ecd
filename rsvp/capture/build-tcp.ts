import { buildIp, transportChecksum } from './build-ip.js';
import { NO_OCTETS, putU16, putU32 } from './octets.js';

export interface TcpEnd {
  readonly address: string;
  readonly port: number;
  /** Initial sequence number; 1000 if not given. */
  readonly initialSequence?: number;
}

export interface TcpFields {
  readonly src: TcpEnd;
  readonly dst: TcpEnd;
  readonly sequence: number;
  readonly acknowledgement?: number;
  readonly flags: number;
}

export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

const TCP_HEADER = 20;
const WINDOW = 65_535;

/** A TCP segment (RFC 9293 3.1) with its checksum, the payload of an IP packet between the two ends. */
export function buildTcp(fields: TcpFields, payload: Uint8Array = NO_OCTETS): Uint8Array {
  const { src, dst } = fields;
  const segment = new Uint8Array(TCP_HEADER + payload.length);
  putU16(segment, 0, src.port);
  putU16(segment, 2, dst.port);
  putU32(segment, 4, fields.sequence);
  putU32(segment, 8, fields.acknowledgement ?? 0);
  segment[12] = (TCP_HEADER / 4) << 4;
  segment[13] = fields.flags;
  putU16(segment, 14, WINDOW);
  segment.set(payload, TCP_HEADER);
  putU16(segment, 16, transportChecksum(src.address, dst.address, 6, segment));
  return segment;
}

/**
 * A TCP connection as the packets that would be seen on the wire: `open()`, then `send()` as often as wanted, then
 * `close()`; each returns IP packets in order, acknowledgements included.
 */
export class TcpConversation {
  readonly #client: Side;
  readonly #server: Side;
  #identification = 0;

  constructor(client: TcpEnd, server: TcpEnd) {
    this.#client = { end: client, next: (client.initialSequence ?? 1000) >>> 0 };
    this.#server = { end: server, next: (server.initialSequence ?? 1000) >>> 0 };
  }

  /** The handshake. */
  open(): Uint8Array[] {
    const { syn, ack } = TCP_FLAG;
    return [
      this.#segment(this.#client, this.#server, syn),
      this.#segment(this.#server, this.#client, syn | ack),
      this.#segment(this.#client, this.#server, ack),
    ];
  }

  /** Data in segments of at most `segmentSize` octets, and one acknowledgement. */
  send(from: 'client' | 'server', data: Uint8Array, segmentSize = 1400): Uint8Array[] {
    const [sender, receiver] =
      from === 'client' ? [this.#client, this.#server] : [this.#server, this.#client];
    const packets: Uint8Array[] = [];
    for (let at = 0; at < data.length; at += segmentSize) {
      const part = data.subarray(at, at + segmentSize);
      packets.push(this.#segment(sender, receiver, TCP_FLAG.psh | TCP_FLAG.ack, part));
    }
    packets.push(this.#segment(receiver, sender, TCP_FLAG.ack));
    return packets;
  }

  /** Both ends close, the client first. */
  close(): Uint8Array[] {
    const { fin, ack } = TCP_FLAG;
    return [
      this.#segment(this.#client, this.#server, fin | ack),
      this.#segment(this.#server, this.#client, fin | ack),
      this.#segment(this.#client, this.#server, ack),
    ];
  }

  #segment(sender: Side, receiver: Side, flags: number, payload: Uint8Array = NO_OCTETS): Uint8Array {
    const acknowledgement = (flags & TCP_FLAG.ack) === 0 ? 0 : receiver.next;
    const segment = buildTcp(
      { src: sender.end, dst: receiver.end, sequence: sender.next, acknowledgement, flags },
      payload,
    );
    const counted = (flags & (TCP_FLAG.syn | TCP_FLAG.fin)) === 0 ? 0 : 1;
    sender.next = (sender.next + payload.length + counted) >>> 0;
    this.#identification = (this.#identification + 1) & 0xffff;
    const fields = { src: sender.end.address, dst: receiver.end.address, protocol: 6 };
    const [packet] = buildIp({ ...fields, identification: this.#identification }, segment);
    return packet ?? NO_OCTETS;
  }
}

interface Side {
  readonly end: TcpEnd;
  next: number;
}

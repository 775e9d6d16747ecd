import type { ArrivedPacket } from '../engine/packet.js';
import { Reassembler } from '../capture/fragments.js';
import { isRefusal } from '../capture/ip.js';
import { extensions } from '../capture/ipv6.js';

const IPV6_HEADER = 40;
const RSVP = 46;

/**
 * IPv6 packets that the kernel hands over for their Router Alert (RFC 2711) come as they are on the wire: extension
 * headers are stepped over here and fragments put together, both of which the kernel does for IPv4.
 */
export class InterceptedIpv6 {
  readonly #reassembler = new Reassembler<ArrivedPacket>();
  #fragments = 0;
  /** Packets of other protocols, and what was malformed. */
  foreign = 0;

  /** The RSVP message in `packet`, whose octets are from the IPv6 header on, or that it completes. `now` in ms. */
  message(packet: ArrivedPacket, now: number): ArrivedPacket | undefined {
    const { octets } = packet;
    const announced = IPV6_HEADER + (((octets[4] ?? 0) << 8) | (octets[5] ?? 0));
    const end = Math.min(octets.length, announced);
    const chain = extensions(octets, octets[6] ?? 0, IPV6_HEADER, end, 0);
    this.#reassembler.expired(now / 1000);
    if (isRefusal(chain) || announced > octets.length) return this.#drop();
    if (chain.fragment === undefined) {
      if (chain.protocol !== RSVP) return this.#drop();
      return { ...packet, octets: octets.subarray(chain.start, end) };
    }
    const { identification, offset, more } = chain.fragment;
    const whole = this.#reassembler.add(
      {
        key: `${packet.source} ${packet.destination} ${identification}`,
        offset,
        more,
        octets,
        start: chain.start,
        end,
        frame: this.#fragments++,
        time: now / 1000,
        strict: true,
      },
      // Who completes the datagram is of no interest: interface and hop limit are the first fragment's.
      { ...packet, octets: Uint8Array.of(chain.protocol) },
    );
    if (whole === undefined) return undefined;
    if (!('octets' in whole)) return this.#drop();
    const { octets: payload, header } = whole;
    const inner = extensions(payload, header.octets[0] ?? 0, 0, payload.length, 0);
    if (isRefusal(inner) || inner.protocol !== RSVP || inner.fragment !== undefined) return this.#drop();
    return { ...header, octets: payload.subarray(inner.start) };
  }

  #drop(): ArrivedPacket | undefined {
    this.foreign++;
    return undefined;
  }
}

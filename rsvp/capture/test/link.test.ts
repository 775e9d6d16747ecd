import assert from 'node:assert/strict';
import { decodeCapture, pcapFile } from '../index.js';
import { codes, hex, payloads, rsvpMessage, rsvpV4, rsvpV6, unhex } from './packets.js';

const MACS = '020000000002 020000000001';
const V4 = hex(rsvpV4());
const V6 = hex(rsvpV6());

/** Headers as the pages behind https://www.tcpdump.org/linktypes.html and the standards draw them. */
const LINKS: readonly (readonly [name: string, linkType: number, header: string, packet: string])[] = [
  ['Ethernet with IPv4', 1, `${MACS} 0800`, V4],
  ['Ethernet with IPv6', 1, `${MACS} 86dd`, V6],
  ['Ethernet with a VLAN tag (802.1Q)', 1, `${MACS} 8100 6005 0800`, V4],
  ['Ethernet with two VLAN tags (802.1ad)', 1, `${MACS} 88a8 0064 8100 0005 86dd`, V6],
  ['Ethernet with two VLAN tags of before 802.1ad', 1, `${MACS} 9100 0064 8100 0005 0800`, V4],
  ['Ethernet with LLC and SNAP', 1, `${MACS} 0048 aaaa 0300 0000 0800`, V4],
  ['Ethernet with an MPLS stack of two', 1, `${MACS} 8847 00010 040 00020 140`, V4],
  ['Ethernet with PPPoE', 1, `${MACS} 8864 1100 0001 0042 0021`, V4],
  ['Linux cooked (SLL)', 113, '0000 0001 0006 020000000001 0000 0800', V4],
  ['Linux cooked (SLL) with a VLAN tag and IPv6', 113, '0000 0001 0006 020000000001 0000 8100 0005 86dd', V6],
  ['Linux cooked v2 (SLL2)', 276, '0800 0000 00000002 0001 00 06 0200000000010000', V4],
  ['Linux cooked v2 (SLL2) with IPv6', 276, '86dd 0000 00000002 0001 00 06 0200000000010000', V6],
  ['raw IP (101) with IPv4', 101, '', V4],
  ['raw IP (101) with IPv6', 101, '', V6],
  ['raw IP (12)', 12, '', V4],
  ['raw IP (14)', 14, '', V6],
  ['IPv4 (228)', 228, '', V4],
  ['IPv6 (229)', 229, '', V6],
  ['PPP (9)', 9, '0021', V4],
  ['PPP (9) with address and control', 9, 'ff03 0057', V6],
  ['PPP (9) with a compressed protocol field', 9, '21', V4],
  ['PPP in HDLC-like framing (50)', 50, 'ff03 0021', V4],
  ['Cisco HDLC (50)', 50, '0f00 0800', V4],
  ['Cisco HDLC (104)', 104, '8f00 86dd', V6],
  ['loopback (0) of a little-endian host', 0, '02000000', V4],
  ['loopback (0) of a big-endian host', 0, '00000002', V4],
  ['loopback (0) with IPv6 of FreeBSD', 0, '1c000000', V6],
  ['loopback (0) with IPv6 of macOS', 0, '1e000000', V6],
  ['loopback (108)', 108, '00000018', V6],
];

describe('capture: links', () => {
  for (const [name, linkType, header, packet] of LINKS) {
    const frame = unhex(header + packet);
    const file = (octets: Uint8Array): Uint8Array =>
      pcapFile([{ time: { seconds: 1, nanoseconds: 0 }, octets }], { linkType });

    it(`${name}: the RSVP message is found`, () => {
      const packets = decodeCapture(file(frame));
      assert.deepEqual(payloads(packets), [hex(rsvpMessage())]);
      assert.deepEqual(codes(packets), []);
      assert.equal(packets[0]?.routerAlert, 0);
    });

    it(`${name}: octets behind the IP packet (padding, check sequence) are not the message's`, () => {
      const packets = decodeCapture(file(unhex(`${hex(frame)} deadbeef`)));
      assert.deepEqual(payloads(packets), [hex(rsvpMessage())]);
    });

    it(`${name}: every prefix is a fault or nothing, never a whole message`, () => {
      for (let length = 0; length < frame.length; length++) {
        for (const { kind, faults } of decodeCapture(file(frame.subarray(0, length)))) {
          assert.ok(kind === 'fault' || faults.length > 0, `${length} octets`);
        }
      }
    });
  }

  it("ARP and other protocols are nobody's business", () => {
    const arp = unhex(`${MACS} 0806 0001 0800 06 04 0001`);
    assert.deepEqual(
      decodeCapture(pcapFile([{ time: { seconds: 1, nanoseconds: 0 }, octets: arp }], { linkType: 1 })),
      [],
    );
  });

  it('a link type that is not read is said once', () => {
    const octets = rsvpV4();
    const time = { seconds: 1, nanoseconds: 0 };
    const packets = decodeCapture(
      pcapFile(
        [
          { time, octets },
          { time, octets },
        ],
        { linkType: 105 },
      ),
    );
    assert.deepEqual(codes(packets), ['link']);
  });
});

import assert from 'node:assert/strict';
import {
  FilterSpecFlowLabel,
  FilterSpecIpv4Gpi,
  FilterSpecIpv6Gpi,
  SessionIpv4Gpi,
  SessionIpv6Gpi,
  SessionLspTunnelIpv4,
} from '../../wire/index.js';
import { TrafficError } from '../control.js';
import { InterfacePlan } from '../plan.js';
import type { TrafficCapabilities, TrafficSettings } from '../settings.js';
import { missingCapabilities } from '../settings.js';
import { filter4, filter6, LINK, reservation, session4, session6 } from './reservations.js';

const BARE: TrafficCapabilities = { police: false, mark: false, bestEffortQueue: 'bfifo' };
const FULL: TrafficCapabilities = { police: true, mark: true, bestEffortQueue: 'fq_codel' };
const ENTRY = { entry: true, branch: false, merge: false };

const plan = (capabilities = BARE, settings: TrafficSettings = {}): InterfacePlan =>
  new InterfacePlan(LINK, settings, capabilities);
const lines = (commands: readonly { readonly line: string }[]): string[] => commands.map(({ line }) => line);
const filterLines = (commands: readonly { readonly line: string }[]): string[] =>
  lines(commands).filter((line) => line.startsWith('filter add') && line.includes('flowid'));
const matchOf = (commands: readonly { readonly line: string }[]): string | undefined =>
  filterLines(commands)
    .at(-1)
    ?.replace(/^.*? u32 /, '');

describe('the plan of traffic control', () => {
  it('makes root, link, best effort and signalling with 2 % of the link for it (RFC 2205 2.3)', () => {
    assert.deepEqual(lines(plan().install()).slice(0, 5), [
      'qdisc add dev eth1 root handle 2205: htb default 2',
      'class add dev eth1 parent 2205: classid 2205:1 htb rate 10000000bit ceil 10000000bit burst 3028b cburst 3028b quantum 1514',
      'class add dev eth1 parent 2205:1 classid 2205:2 htb rate 9800000bit ceil 10000000bit burst 3028b cburst 3028b prio 3 quantum 1514',
      'qdisc add dev eth1 parent 2205:2 bfifo limit 190536b',
      'class add dev eth1 parent 2205:1 classid 2205:3 htb rate 200000bit ceil 1000000bit burst 16384b cburst 3028b prio 0 quantum 1514',
    ]);
  });

  it('shares best effort flow by flow where that is asked for, by what the kernel has for it', () => {
    const queue = (capabilities: TrafficCapabilities): string | undefined =>
      lines(plan(capabilities, { bestEffort: 'fair' }).install())[3];
    assert.equal(queue(FULL), 'qdisc add dev eth1 parent 2205:2 fq_codel');
    assert.equal(queue({ ...BARE, bestEffortQueue: 'sfq' }), 'qdisc add dev eth1 parent 2205:2 sfq');
    assert.deepEqual(missingCapabilities({ bestEffort: 'fair' }, BARE), ['sch_fq_codel', 'sch_sfq']);
  });

  it('gives signalling to RSVP over IP, with router alert, and over UDP, to ARP and neighbour discovery', () => {
    const matches = filterLines(plan().install()).map((line) => line.replace(/^.*? u32 /, ''));
    assert.deepEqual(matches, [
      'match u8 46 0xff at 9 flowid 2205:3',
      'match u8 0x45 0xff at 0 match u8 17 0xff at 9 match u16 0x06a2 0xfffe at 22 flowid 2205:3',
      'match u8 46 0xff at 6 flowid 2205:3',
      'match u8 0 0xff at 6 match u8 46 0xff at 40 flowid 2205:3',
      'match u8 17 0xff at 6 match u16 0x06a2 0xfffe at 42 flowid 2205:3',
      'match u8 58 0xff at 6 match u8 135 0xff at 40 flowid 2205:3',
      'match u8 58 0xff at 6 match u8 136 0xff at 40 flowid 2205:3',
      'match u32 0x0 0x0 at 0 flowid 2205:3',
    ]);
  });

  it('takes a rate from best effort before it gives it, then class, queue, table and filter', () => {
    assert.deepEqual(lines(plan().reserve(reservation())), [
      'class change dev eth1 parent 2205:1 classid 2205:2 htb rate 7772387bit ceil 10000000bit burst 3028b cburst 3028b prio 3 quantum 1514',
      'class add dev eth1 parent 2205:1 classid 2205:10 htb rate 2027613bit ceil 10000000bit burst 20277b cburst 3028b prio 3 quantum 1514',
      'qdisc add dev eth1 parent 2205:10 bfifo limit 106089b',
      'filter add dev eth1 parent 2205: protocol ip prio 1 handle 109: u32 divisor 256',
      'filter add dev eth1 parent 2205: protocol ip prio 1 handle ::1 u32 ht 1:9: match u32 0x0 0x0 at 0 link 109: hashkey mask 0x000000ff at 20',
      'filter add dev eth1 parent 2205: protocol ip prio 1 handle ::10 u32 ht 109:8c: match u32 0xa000909 0xffffffff at 16 ' +
        'match u32 0x138c138c 0xffffffff at 20 match u32 0xa000001 0xffffffff at 12 match u32 0x110000 0xff0000 at 8 ' +
        'match u32 0x0 0x1fff at 4 flowid 2205:10',
    ]);
  });

  it('undoes a release in the order the kernel wants: filters, class, best effort', () => {
    const it = plan();
    it.reserve(reservation());
    assert.deepEqual(lines(it.release(1)), [
      'filter del dev eth1 parent 2205: protocol ip prio 1 handle 109:8c:10 u32',
      'class del dev eth1 classid 2205:10',
      'class change dev eth1 parent 2205:1 classid 2205:2 htb rate 9800000bit ceil 10000000bit burst 3028b cburst 3028b prio 3 quantum 1514',
    ]);
    assert.deepEqual(it.release(1), []);
    assert.deepEqual(it.classes(), []);
  });

  it('counts link headers by the minimum policed unit (RFC 2210 3.2)', () => {
    const [, made] = lines(plan().reserve(reservation({ rate: 100_000, minimumPolicedUnit: 14 })));
    // Shorter than an IPv4 header no packet is: (20 + 14) / 20.
    assert.match(made ?? '', /rate 1360000bit /);
  });

  it('keeps 1 % for best effort whatever is reserved', () => {
    const [change] = lines(plan().reserve(reservation({ rate: 1_250_000 })));
    assert.match(change ?? '', /classid 2205:2 htb rate 100000bit /);
  });

  describe('tells flows', () => {
    const match = (change: Parameters<typeof reservation>[0]): string | undefined =>
      matchOf(plan().reserve(reservation(change)));

    it('of any sender for WF (RFC 2205 1.3)', () => {
      assert.equal(
        match({ style: 'WF', filters: [] }),
        'ht 109:8c: match u32 0xa000909 0xffffffff at 16 match u32 0x138c 0xffff at 20 match u32 0x110000 0xff0000 at 8 match u32 0x0 0x1fff at 4 flowid 2205:10',
      );
    });

    it('without ports where the session has none: the ports of RFC 2205 3.2 that are zero', () => {
      assert.equal(
        match({ session: session4('10.0.9.9', 0, 46), filters: [filter4('10.0.0.1', 0)] }),
        'ht 1:9: match u32 0xa000909 0xffffffff at 16 match u32 0xa000001 0xffffffff at 12 match u32 0x2e0000 0xff0000 at 8 flowid 2205:10',
      );
    });

    it('of IPv6', () => {
      assert.equal(
        match({ session: session6('fd00:9::9', 5004), filters: [filter6('fd00::1', 5005)] }),
        'ht 209:8c: match u32 0x9 0xffffffff at 36 match u32 0x0 0xffffffff at 32 match u32 0x0 0xffffffff at 28 match u32 0xfd000009 0xffffffff at 24 ' +
          'match u32 0x138d138c 0xffffffff at 40 match u32 0x1 0xffffffff at 20 match u32 0x0 0xffffffff at 16 match u32 0x0 0xffffffff at 12 ' +
          'match u32 0xfd000000 0xffffffff at 8 match u32 0x1100 0xff00 at 4 flowid 2205:10',
      );
    });

    it('by IPv6 flow label, which stands for protocol and ports (RFC 2205 A.9)', () => {
      const filter = FilterSpecFlowLabel.make({ srcAddress: 'fd00::1', reserved: 0, flowLabel: 0xabcde });
      assert.equal(
        match({ session: session6('fd00:9::9', 5004), filters: [filter] }),
        'ht 309:de: match u32 0x9 0xffffffff at 36 match u32 0x0 0xffffffff at 32 match u32 0x0 0xffffffff at 28 match u32 0xfd000009 0xffffffff at 24 ' +
          'match u32 0xabcde 0xfffff at 0 match u32 0x1 0xffffffff at 20 match u32 0x0 0xffffffff at 16 match u32 0x0 0xffffffff at 12 ' +
          'match u32 0xfd000000 0xffffffff at 8 flowid 2205:10',
      );
    });

    it('by the SPI of ESP and AH (RFC 2207 3)', () => {
      const session = (protocolId: number) =>
        SessionIpv4Gpi.make({ destAddress: '10.0.9.9', protocolId, flags: 0, vDstPort: 1 });
      const filters = [FilterSpecIpv4Gpi.make({ srcAddress: '10.0.0.1', gpi: 0x01020304 })];
      assert.equal(
        match({ session: session(50), filters }),
        'ht 109:4: match u32 0xa000909 0xffffffff at 16 match u32 0x1020304 0xffffffff at 20 match u32 0xa000001 0xffffffff at 12 match u32 0x320000 0xff0000 at 8 match u32 0x0 0x1fff at 4 flowid 2205:10',
      );
      assert.match(
        match({ session: session(51), filters }) ?? '',
        /^ht 409:4: .* match u32 0x1020304 0xffffffff at 24 /,
      );
      const session6Gpi = SessionIpv6Gpi.make({
        destAddress: 'fd00::9',
        protocolId: 51,
        flags: 0,
        vDstPort: 1,
      });
      const filters6 = [FilterSpecIpv6Gpi.make({ srcAddress: 'fd00::1', gpi: 7 })];
      assert.match(
        match({ session: session6Gpi, filters: filters6 }) ?? '',
        /^ht 509:7: .* match u32 0x7 0xffffffff at 44 /,
      );
    });

    it('and refuses what packets do not tell', () => {
      const tunnel = SessionLspTunnelIpv4.make({
        tunnelEndPointAddress: '10.0.0.1',
        reserved: 0,
        tunnelId: 1,
        extendedTunnelId: '10.0.0.1',
      });
      const label = FilterSpecFlowLabel.make({ srcAddress: 'fd00::1', reserved: 0, flowLabel: 0x100000 });
      for (const [change, message] of [
        [{ session: tunnel }, /session of C-Type 7/],
        [{ filters: [] }, /style FF has no filter spec/],
        [{ filters: [filter6('fd00::1', 1)] }, /filter spec of C-Type 2 does not fit/],
        [{ session: session4('10.0.9.9', 5004, 47) }, /protocol 47 carry no ports/],
        [{ session: session6('fd00::9', 5004), filters: [label] }, /no packet can carry the flow label/],
        [{ filters: [FilterSpecIpv4Gpi.make({ srcAddress: '10.0.0.1', gpi: 1 })] }, /RFC 2207 3.2/],
        [{ rate: Number.NaN }, /rate: expected a number of octets, got NaN/],
      ] as const) {
        const it = plan();
        assert.throws(
          () => it.reserve(reservation(change)),
          (error: Error) => error instanceof TrafficError && message.test(error.message),
          String(message),
        );
        assert.deepEqual(it.classes(), []);
      }
    });
  });

  describe('treats what is beyond the token bucket', () => {
    const made = (
      change: Parameters<typeof reservation>[0],
      capabilities: TrafficCapabilities,
      settings: TrafficSettings = {},
    ): string[] => lines(plan(capabilities, settings).reserve(reservation(change)));

    it('as best effort: a policer passes it on to the next filter, of which there is none (RFC 2212 7)', () => {
      const [, classLine, , , , filter] = made({ police: ENTRY }, FULL);
      assert.match(classLine ?? '', / ceil 10000000bit .* prio 2 /);
      assert.match(
        filter ?? '',
        / flowid 2205:10 action police rate 2027613bit burst 20277b mtu 65535 conform-exceed continue\/ok index 458768$/,
      );
    });

    it('as best effort where the kernel cannot police: it competes with best effort as an equal (RFC 2211 7)', () => {
      const [, classLine, , , , filter] = made({ police: ENTRY }, BARE);
      assert.match(classLine ?? '', / ceil 10000000bit .* prio 3 /);
      assert.doesNotMatch(filter ?? '', /action/);
    });

    it('without a policer inside the network (RFC 2212 7: policing MUST not be done except at the edge)', () => {
      const all = made({ service: 'guaranteed' }, FULL).join('\n');
      assert.doesNotMatch(all, /police/);
      assert.match(all, /classid 2205:10 htb rate 2027613bit ceil 10000000bit .* prio 3 /);
    });

    it('by reshaping at branch and merge points (RFC 2212 7)', () => {
      for (const point of ['branch', 'merge']) {
        const police = { entry: false, branch: false, merge: false, [point]: true };
        const [, classLine] = made({ service: 'guaranteed', police }, FULL);
        assert.match(classLine ?? '', /rate 2027613bit ceil 2027613bit burst 20277b .* prio 1 /);
      }
    });

    it('by discarding it where that is configured (RFC 2212 7)', () => {
      assert.match(made({ police: ENTRY }, FULL, { excess: 'drop' }).join('\n'), /conform-exceed drop\/ok/);
      assert.match(
        made({ police: ENTRY }, BARE, { excess: 'drop' })[1] ?? '',
        /rate 2027613bit ceil 2027613bit /,
      );
    });

    it('with one policer for all senders who share a reservation (RFC 2205 1.3)', () => {
      const filters = [filter4('10.0.0.1', 1), filter4('10.0.0.2', 2)];
      const actions = filterLines(
        plan(FULL).reserve(reservation({ style: 'SE', filters, police: ENTRY })),
      ).map((line) => line.replace(/^.* flowid /, ''));
      assert.deepEqual(actions, [
        '2205:10 action police rate 2027613bit burst 20277b mtu 65535 conform-exceed continue/ok index 458768',
        '2205:10 action police index 458768',
      ]);
    });
  });

  describe('marks conforming packets', () => {
    const settings = { mark: { guaranteed: 46, controlledLoad: 18 } };

    it('after they were policed, with the code point in the upper six bits (RFC 2474 3)', () => {
      const [filter] = filterLines(
        plan(FULL, settings).reserve(reservation({ police: ENTRY, service: 'guaranteed' })),
      );
      assert.match(
        filter ?? '',
        /conform-exceed continue\/pipe index \d+ action pedit ex munge ip dsfield set 0xb8 retain 0xfc pipe action csum ip4h ok$/,
      );
    });

    it('only where they enter', () => {
      assert.doesNotMatch(filterLines(plan(FULL, settings).reserve(reservation())).join(), /pedit/);
    });

    it('and says what the kernel lacks for that', () => {
      assert.deepEqual(missingCapabilities(settings, BARE), ['act_pedit', 'act_csum', 'act_police']);
      assert.deepEqual(missingCapabilities({ ...settings, excess: 'drop' }, { ...BARE, mark: true }), []);
      assert.deepEqual(missingCapabilities(settings, FULL), []);
      assert.deepEqual(missingCapabilities({}, BARE), []);
    });
  });

  describe('changes a reservation', () => {
    it('adds new senders before it removes old ones, and keeps those that stay', () => {
      const it = plan();
      const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => filter4(address, 5004));
      it.reserve(reservation({ style: 'SE', filters: [a!, b!] }));
      const changed = lines(it.reserve(reservation({ style: 'SE', filters: [b!, c!], rate: 125_000 })));
      assert.match(
        changed[0] ?? '',
        /^class change dev eth1 parent 2205:1 classid 2205:2 htb rate 8786193bit /,
      );
      assert.match(
        changed[1] ?? '',
        /^class change dev eth1 parent 2205:1 classid 2205:10 htb rate 1013807bit /,
      );
      assert.match(changed[2] ?? '', /^qdisc change dev eth1 parent 2205:10 bfifo limit 106089b$/);
      assert.match(changed[3] ?? '', /^filter add .* handle ::12 u32 ht 109:8c: .* match u32 0xa000003 /);
      assert.equal(changed[4], 'filter del dev eth1 parent 2205: protocol ip prio 1 handle 109:8c:10 u32');
      assert.equal(changed.length, 5);
    });

    it('changes the policer that its filters share', () => {
      const it = plan(FULL);
      it.reserve(reservation({ police: ENTRY }));
      const changed = lines(it.reserve(reservation({ police: ENTRY, rate: 125_000 })));
      assert.equal(
        changed[3],
        'actions change action police rate 1013807bit burst 20277b mtu 65535 conform-exceed continue/ok index 458768',
      );
      assert.equal(changed.length, 4);
    });

    it('makes all filters anew where what they do changes', () => {
      const it = plan(FULL);
      it.reserve(reservation());
      const changed = lines(it.reserve(reservation({ police: ENTRY }))).slice(3);
      assert.match(changed[0] ?? '', /^filter add .* handle ::11 .* action police rate/);
      assert.match(changed[1] ?? '', /^filter del .* handle 109:8c:10 u32$/);
    });

    it('that failed goes back to what was in force (RFC 2205 3.11.2)', () => {
      const it = plan();
      it.reserve(reservation());
      it.reserve(reservation({ rate: 125_000, filters: [filter4('10.0.0.2', 5004)] }));
      const back = it.abandon(1, reservation());
      assert.ok(back.every(({ mayFail }) => mayFail === true));
      assert.match(lines(back)[1] ?? '', /classid 2205:10 htb rate 2027613bit /);
      // What tables there are is not taken for granted.
      assert.match(lines(back)[3] ?? '', /handle 109: u32 divisor 256$/);
      assert.equal(it.reservation(1)?.rate, 250_000);
    });

    it('that is new and failed leaves nothing', () => {
      const it = plan();
      it.reserve(reservation());
      assert.equal(it.abandon(1, undefined).length, 3);
      assert.deepEqual(it.classes(), []);
    });
  });

  it('has room for 10,000 reservations to one address, in buckets of 40', () => {
    const it = new InterfacePlan({ ...LINK, rate: 1.25e9 }, {}, BARE);
    const buckets = new Map<string, number>();
    for (let id = 1; id <= 10_000; id++) {
      const session = session4('10.0.9.9', 10_000 + id);
      const filter = matchOf(it.reserve(reservation({ id, session, rate: 1000 }))) ?? '';
      const [, bucket = ''] = /^ht (\S+) /.exec(filter) ?? [];
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    }
    assert.equal(buckets.size, 256);
    assert.ok(Math.max(...buckets.values()) <= 40);
  });
});

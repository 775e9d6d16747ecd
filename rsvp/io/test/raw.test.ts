import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../wire/index.js';
import { Line } from './namespace.js';
import { Remote } from './remote.js';
import type { Told } from './talker.js';

/** A PathTear for 10.2.0.1 (RFC 2205 3.1.5) that nobody here reads: it has a wrong checksum on purpose. */
const TEAR = '1005dead40000014000c01010a02000111001388';
const octets = (hex: string): Uint8Array => fromHex(hex)!;

interface Family {
  readonly name: string;
  readonly sender: string;
  readonly nearRouter: string;
  readonly farRouter: string;
  readonly receiver: string;
  readonly stranger: string;
  readonly group: string;
}

const FAMILIES: readonly Family[] = [
  {
    name: 'IPv4',
    sender: '10.1.0.1',
    nearRouter: '10.1.0.2',
    farRouter: '10.2.0.2',
    receiver: '10.2.0.1',
    stranger: '198.51.100.7',
    group: '239.1.2.3',
  },
  {
    name: 'IPv6',
    sender: 'fd01::1',
    nearRouter: 'fd01::2',
    farRouter: 'fd02::2',
    receiver: 'fd02::1',
    stranger: '2001:db8::7',
    group: 'ff0e::1:2:3',
  },
];

describe('raw transport, in network namespaces', function () {
  let line: Line;
  let remotes: Remote[] = [];
  const index: Record<string, number> = {};

  before(async () => {
    line = await Line.make();
    for (const name of ['s0', 'r0', 'r1', 'h0'] as const) index[name] = await line.index(name);
  });

  after(async () => {
    await line.remove();
  });

  afterEach(() => {
    for (const remote of remotes) remote.kill();
    remotes = [];
  });

  async function raw(where: 'sender' | 'router' | 'receiver', receiveBuffer?: number): Promise<Remote> {
    const remote = await Remote.start(line[where], {
      do: 'raw',
      intercepts: where === 'router',
      ...(receiveBuffer === undefined ? {} : { receiveBuffer }),
    });
    remotes.push(remote);
    return remote;
  }

  function seen({ interface: at, source, destination, ttl, octets }: Told): object {
    return { at, source, destination, ttl, octets };
  }

  for (const family of FAMILIES) {
    const { sender, nearRouter, farRouter, receiver, stranger, group, name } = family;
    const alert = { source: sender, destination: receiver, ttl: 63, routerAlert: true, octets: octets(TEAR) };

    it(`${name}: a router gets a message with Router Alert for another and the kernel forwards it no more (RFC 2205 3.7)`, async () => {
      const [from, middle, to] = [await raw('sender'), await raw('router'), await raw('receiver')];
      from.send([{ ...alert, interface: index['s0']! }]);
      assert.deepEqual(seen(await middle.next('packet')), {
        at: index['r0'],
        source: sender,
        destination: receiver,
        ttl: 63,
        octets: TEAR,
      });
      // What is sent after it without the option is forwarded: had the first been, it would have come first.
      from.send([{ ...alert, interface: index['s0']!, routerAlert: false, octets: octets(`${TEAR}00`) }]);
      const first = await to.next('packet');
      assert.equal(first['octets'], `${TEAR}00`);
      assert.equal(first['ttl'], 62);
      assert.deepEqual(middle.rest('packet'), []);
    });

    it(`${name}: a router sends a Path on with the sender's address, by the interface that is said (RFC 2205 3.1.3)`, async () => {
      const [middle, to] = [await raw('router'), await raw('receiver')];
      middle.send([{ ...alert, source: stranger, ttl: 41, interface: index['r1']! }]);
      assert.deepEqual(seen(await to.next('packet')), {
        at: index['h0'],
        source: stranger,
        destination: receiver,
        ttl: 41,
        octets: TEAR,
      });
    });

    it(`${name}: a message without a source has ours, and a TTL of 255 or 1 is kept`, async () => {
      const [middle, to] = [await raw('router'), await raw('receiver')];
      for (const ttl of [255, 1]) {
        const packet = { interface: index['r1']!, destination: receiver, ttl, routerAlert: false };
        middle.send([{ ...packet, octets: octets(TEAR) }]);
        const told = await to.next('packet');
        assert.deepEqual([told['source'], told['ttl']], [farRouter, ttl]);
      }
    });

    it(`${name}: a message larger than the MTU is fragmented, and whole again where it is intercepted and where it ends`, async () => {
      const [from, middle, to] = [await raw('sender'), await raw('router'), await raw('receiver')];
      const large = Uint8Array.from({ length: 20_000 }, (_, i) => i * 7);
      from.send([{ ...alert, interface: index['s0']!, octets: large }]);
      const intercepted = await middle.next('packet');
      assert.equal(intercepted['octets'], toHex(large));
      assert.equal(intercepted['interface'], index['r0']);
      middle.send([{ ...alert, interface: index['r1']!, source: stranger, octets: large }]);
      const arrived = await to.next('packet');
      assert.equal(arrived['octets'], toHex(large));
      assert.equal(arrived['source'], stranger);
    });

    it(`${name}: messages that are no RSVP at all come up as they are: none, one octet, eight of nonsense`, async () => {
      const [from, middle] = [await raw('sender'), await raw('router')];
      for (const hex of ['', 'ff', 'ffffffffffffffff']) {
        from.send([
          {
            interface: index['s0']!,
            destination: nearRouter,
            ttl: 64,
            routerAlert: true,
            octets: octets(hex),
          },
        ]);
        assert.equal((await middle.next('packet'))['octets'], hex);
      }
    });

    it(`${name}: a message to a group comes in where the group is joined`, async () => {
      const [from, middle] = [await raw('sender'), await raw('router')];
      middle.order({ do: 'join', group, interface: index['r0']! });
      await middle.next('joined');
      from.send([{ ...alert, destination: group, interface: index['s0']!, ttl: 9 }]);
      assert.deepEqual(seen(await middle.next('packet')), {
        at: index['r0'],
        source: sender,
        destination: group,
        ttl: 9,
        octets: TEAR,
      });
    });

    it(`${name}: what cannot be sent is told and counted, and the rest of the batch goes`, async () => {
      const [from, middle] = [await raw('sender'), await raw('router')];
      const good = { ...alert, destination: nearRouter, interface: index['s0']! };
      from.send([{ ...good, interface: 4242 }, good]);
      const trouble = await from.next('trouble');
      assert.deepEqual(
        [trouble['doing'], trouble['interface'], trouble['destination']],
        ['send', 4242, nearRouter],
      );
      assert.match(String(trouble['code']), /^(ENODEV|ENXIO|ENETUNREACH)$/);
      await middle.next('packet');
      from.order({ do: 'ask' });
      const { sent, failed } = await from.next('statistics');
      assert.deepEqual({ sent, failed }, { sent: 1, failed: 1 });
    });
  }

  it('IPv4: where the kernel routes multicast, a Path to a group is intercepted without joining it, and not forwarded (RFC 2205 3.9)', async () => {
    const [from, middle, to] = [await raw('sender'), await raw('router'), await raw('receiver')];
    const route = await line.router.multicastRoute('10.1.0.1', '239.1.2.3', 'r0', 'r1');
    to.order({ do: 'join', group: '239.1.2.3', interface: index['h0']! });
    await to.next('joined');
    const path = { interface: index['s0']!, source: '10.1.0.1', destination: '239.1.2.3', ttl: 9 };
    from.send([{ ...path, routerAlert: true, octets: octets(TEAR) }]);
    const { interface: at, destination } = await middle.next('packet');
    assert.deepEqual({ at, destination }, { at: index['r0'], destination: '239.1.2.3' });
    from.send([{ ...path, routerAlert: false, octets: octets(`${TEAR}00`) }]);
    assert.equal((await to.next('packet'))['octets'], `${TEAR}00`);
    route.end();
  });

  it("a destination that is no address is the caller's mistake", async () => {
    const from = await raw('sender');
    from.send([{ interface: 1, destination: 'nowhere', ttl: 1, routerAlert: false, octets: octets('') }]);
    await assert.rejects(from.next('packet'), /`nowhere` is no IP address/);
  });

  it('what the kernel drops because nobody reads is counted', async () => {
    const [from, middle] = [await raw('sender'), await raw('router', 1 << 16)];
    middle.order({ do: 'busy', milliseconds: 400 });
    flood(from, 5_000);
    await middle.next('watching');
    from.order({ do: 'ask' });
    assert.equal((await from.next('statistics'))['sent'], 5_000);
    middle.order({ do: 'ask' });
    const { received, dropped } = await middle.next('statistics');
    assert.ok(
      Number(dropped) > 0 && Number(received) > 0,
      `${String(dropped)} dropped, ${String(received)} received`,
    );
  });

  it('a flood leaves timers their turn', async () => {
    const [from, middle] = [await raw('sender'), await raw('router')];
    middle.order({ do: 'busy', milliseconds: 0 });
    await middle.next('watching');
    flood(from, 60_000);
    from.order({ do: 'ask' });
    await from.next('statistics');
    middle.order({ do: 'ask' });
    const { received, ticks, milliseconds } = await middle.next('statistics');
    assert.ok(Number(received) > 1_000, `${String(received)} received`);
    // A tick is due every 5 ms; on a busy machine it may come late, but it must come.
    assert.ok(
      Number(ticks) > Number(milliseconds) / 50,
      `${String(ticks)} ticks in ${String(milliseconds)} ms`,
    );
  });

  function flood(from: Remote, count: number): void {
    const packet = { interface: index['s0']!, destination: '10.1.0.2', ttl: 64, routerAlert: false };
    from.send(
      Array.from({ length: 500 }, () => ({ ...packet, octets: octets(TEAR) })),
      count / 500,
    );
  }

  it('the process ends by itself once the transport is closed, or when it was told not to wait for it', async () => {
    const middle = await raw('router');
    assert.equal(await middle.close(), 0);
    const other = await raw('router');
    other.order({ do: 'unref' });
    assert.equal(await other.end(), 0);
  });
});

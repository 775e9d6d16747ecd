import assert from 'node:assert/strict';
import { fromHex } from '../../wire/index.js';
import type { Order } from './driver.js';
import { Line } from './namespace.js';
import { Remote } from './remote.js';

/** Headers alone, which nobody here reads further: a Path with Send_TTL 63, and a Resv with Send_TTL 62. */
const PATH = fromHex('100100003f000008')!;
const RESV = fromHex('100200003e000008')!;

const SENT = { ttl: 63, routerAlert: true } as const;

interface Family {
  readonly name: string;
  readonly host: string;
  readonly router: string;
  readonly farRouter: string;
  readonly remote: string;
  readonly local: string;
  readonly group: string;
  readonly all: string;
}

const FAMILIES: readonly Family[] = [
  {
    name: 'IPv4',
    host: '10.1.0.1',
    router: '10.1.0.2',
    farRouter: '10.2.0.2',
    remote: '10.2.0.1',
    local: '10.1.0.',
    group: '239.5.6.7',
    all: '224.0.0.14',
  },
  {
    name: 'IPv6',
    host: 'fd01::1',
    router: 'fd01::2',
    farRouter: 'fd02::2',
    remote: 'fd02::1',
    local: 'fd01::',
    group: 'ff0e::5:6:7',
    all: 'ff02::e',
  },
];

describe('UDP encapsulation, in network namespaces', () => {
  let line: Line;
  let remotes: Remote[] = [];
  let s0 = 0;
  let r0 = 0;
  let r1 = 0;

  before(async () => {
    line = await Line.make();
    [s0, r0, r1] = await Promise.all([line.index('s0'), line.index('r0'), line.index('r1')]);
  });

  after(async () => {
    await line.remove();
  });

  afterEach(() => {
    for (const remote of remotes) remote.kill();
    remotes = [];
  });

  async function start(where: 'sender' | 'router', order: Order): Promise<Remote> {
    const remote = await Remote.start(line[where], order);
    remotes.push(remote);
    return remote;
  }

  function host(family: Family, ttl?: number): Promise<Remote> {
    const options = { role: 'host', interfaces: [{ index: s0, addresses: [family.host] }] } as const;
    const via = { local: family.local, address: family.router };
    return start('sender', { do: 'udp', options, via: { ...via, ...(ttl && { ttl }) } });
  }

  function router(family: Family, encapsulated: readonly number[] = []): Promise<Remote> {
    const interfaces = [
      { index: r0, addresses: [family.router] },
      { index: r1, addresses: [] },
    ];
    return start('router', { do: 'udp', options: { role: 'router', interfaces, encapsulated } });
  }

  for (const family of FAMILIES) {
    const { name } = family;

    it(`${name}: a host sends a unicast Path to its first router, Pu (RFC 2205 C, Figure 13), with Send_TTL as its TTL`, async () => {
      const [from, to] = [await host(family), await router(family)];
      from.send([{ ...SENT, interface: s0, destination: family.remote, octets: PATH }]);
      assert.deepEqual(await to.next('packet'), {
        is: 'packet',
        interface: r0,
        source: family.host,
        destination: family.router,
        ttl: 63,
        octets: '100100003f000008',
        isUdp: true,
      });
    });

    it(`${name}: a host sends a multicast Path to G*, Pu (RFC 2205 C, Figure 14)`, async () => {
      const [from, to] = [await host(family), await router(family)];
      from.send([{ ...SENT, interface: s0, destination: family.group, octets: PATH }]);
      const { interface: at, destination, ttl } = await to.next('packet');
      assert.deepEqual({ at, destination, ttl }, { at: r0, destination: family.all, ttl: 63 });
    });

    it(`${name}: a host that knows how far its router is sends multicast Paths there as well (RFC 2205 C, approach 1)`, async () => {
      const to = await router(family);
      const from = await host(family, 3);
      from.send([{ ...SENT, interface: s0, destination: family.group, octets: PATH }]);
      assert.equal((await to.next('packet'))['destination'], family.router);
    });

    it(`${name}: a router begins to encapsulate for an interface when a Path has come there in UDP, and sends to Pu' (RFC 2205 C)`, async () => {
      const [from, to] = [await host(family), await router(family)];
      const answer = { ...SENT, interface: r0, destination: family.host, octets: RESV };
      to.send([answer]);
      from.send([{ ...SENT, interface: s0, destination: family.remote, octets: PATH }]);
      await to.next('packet');
      to.send([answer, { ...answer, interface: r1, destination: family.remote }]);
      const { source, destination, ttl, octets } = await from.next('packet');
      assert.deepEqual(
        { source, destination, ttl, octets },
        { source: family.router, destination: family.host, ttl: 62, octets: '100200003e000008' },
      );
      to.order({ do: 'ask' });
      const { sent } = await to.next('statistics');
      assert.equal(sent, 1, 'neither before the Path came nor by the other interface');
    });

    it(`${name}: a Resv in UDP turns nothing on`, async () => {
      const [from, to] = [await host(family), await router(family)];
      from.send([{ ...SENT, interface: s0, destination: family.router, octets: RESV }]);
      await to.next('packet');
      to.send([{ ...SENT, interface: r0, destination: family.host, octets: RESV }]);
      to.order({ do: 'ask' });
      assert.equal((await to.next('statistics'))['sent'], 0);
    });

    it(`${name}: a router ignores Pu', raw IP has brought the same (RFC 2205 C, Figure 13)`, async () => {
      const to = await router(family);
      const interfaces = [{ index: s0, addresses: [family.host] }];
      const options = { role: 'router', interfaces, encapsulated: [s0] } as const;
      const peer = await start('sender', { do: 'udp', options });
      peer.send([{ ...SENT, interface: s0, destination: family.router, octets: RESV }]);
      assert.equal(await peer.close(), 0);
      const from = await host(family);
      from.send([{ ...SENT, interface: s0, destination: family.router, octets: PATH }]);
      assert.equal((await to.next('packet'))['octets'], '100100003f000008');
    });

    it(`${name}: what is addressed to another interface's address is not for us (RFC 2205 C, Note 2)`, async () => {
      const [from, to] = [await host(family), await router(family)];
      const destination = family.farRouter;
      const octets = PATH;
      from.send([{ ...SENT, interface: s0, destination: `${family.local}2`, octets }]);
      await to.next('packet');
      const stray = { do: 'udp', options: { role: 'host', interfaces: [] } } as const;
      from.kill();
      const other = await start('sender', { ...stray, via: { local: 'none', address: destination } });
      other.send([{ ...SENT, interface: s0, destination, octets }]);
      const { received } = await until(to, 'foreign', 1);
      assert.equal(received, 1);
    });
  }

  it('the port is taken: the error says which', async () => {
    await host(FAMILIES[0]!);
    const second = new Remote(line.sender);
    remotes.push(second);
    second.order({ do: 'udp', options: { role: 'host', interfaces: [] } });
    await assert.rejects(second.next('started'), /UDP port 1698 cannot be opened.*address already in use/i);
  });

  it('no privilege is needed: a process without any runs it', async () => {
    const remote = new Remote(line.sender, ['setpriv', '--bounding-set=-all', '--inh-caps=-all']);
    remotes.push(remote);
    remote.order({ do: 'raw', intercepts: false });
    await assert.rejects(remote.next('started'), /CAP_NET_RAW is needed/);
    const udp = new Remote(line.sender, ['setpriv', '--bounding-set=-all', '--inh-caps=-all']);
    remotes.push(udp);
    udp.order({ do: 'udp', options: { role: 'host', interfaces: [{ index: s0, addresses: ['10.1.0.1'] }] } });
    await udp.next('started');
    assert.equal(await udp.close(), 0);
  });

  async function until(remote: Remote, what: string, value: number): ReturnType<Remote['next']> {
    while (true) {
      remote.order({ do: 'ask' });
      const told = await remote.next('statistics');
      if (told[what] === value) return told;
    }
  }
});

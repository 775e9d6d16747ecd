import assert from 'node:assert/strict';
import { readLinks, readMulticastRoutes, readRoutes } from '../ip-json.js';
import { RouteTable } from '../route-table.js';

/** What iproute2 6.1 printed in a namespace with a multipath route, a route over an IPv6 router, and others. */
const LINKS = readLinks([
  { ifindex: 1, ifname: 'lo', flags: ['LOOPBACK', 'UP', 'LOWER_UP'], mtu: 65536, addr_info: [] },
  {
    ifindex: 3,
    ifname: 'v0',
    flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
    mtu: 1500,
    addr_info: [
      { family: 'inet6', local: 'fe80::b4f6:4ff:fe9b:f675', prefixlen: 64, scope: 'link' },
      { family: 'inet', local: '10.0.0.1', prefixlen: 24, scope: 'global', label: 'v0' },
      { family: 'inet6', local: 'fd01::1', prefixlen: 64, scope: 'global', nodad: true },
      { family: 'inet6', local: 'fd01::2', prefixlen: 64, scope: 'global', tentative: true },
    ],
  },
  {
    ifindex: 5,
    ifname: 'w0',
    flags: ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP', 'M-DOWN'],
    mtu: 1400,
    addr_info: [{ family: 'inet', local: '10.0.1.1', prefixlen: 24, scope: 'global', label: 'w0' }],
  },
]);
const ROUTES = [
  ...readRoutes(
    [
      { dst: 'default', gateway: '10.0.0.254', dev: 'v0', metric: 100, flags: [] },
      { dst: 'default', gateway: '10.0.1.254', dev: 'w0', metric: 50, flags: ['linkdown'] },
      { dst: '10.6.0.0/16', dev: 'v0', table: '77', scope: 'link', flags: [] },
      { dst: '10.0.0.0/24', dev: 'v0', protocol: 'kernel', scope: 'link', prefsrc: '10.0.0.1', flags: [] },
      { dst: '10.4.0.0/16', via: { family: 'inet6', host: 'fd01::2' }, dev: 'v0', flags: [] },
      {
        dst: '10.9.0.0/16',
        flags: [],
        nexthops: [
          { gateway: '10.0.1.2', dev: 'w0', weight: 2, flags: ['dead', 'linkdown'] },
          { gateway: '10.0.0.2', dev: 'v0', weight: 1, flags: [] },
          { gateway: '10.0.0.3', dev: 'v0', weight: 1, flags: [] },
        ],
      },
      { type: 'unreachable', dst: '10.7.0.0/16', metric: 5, flags: [] },
      { type: 'blackhole', dst: '10.8.0.0/16', flags: [] },
      { type: 'local', dst: '10.0.0.1', dev: 'v0', table: 'local', protocol: 'kernel', flags: [] },
      { type: 'broadcast', dst: '10.0.0.255', dev: 'v0', table: 'local', flags: [] },
    ],
    4,
  ),
  ...readRoutes(
    [
      { dst: 'fd09::/64', metric: 1024, flags: [], nexthops: [{ gateway: 'fd01::2', dev: 'v0', flags: [] }] },
      { type: 'local', dst: 'fd01::1', dev: 'v0', table: 'local', metric: 0, flags: [], pref: 'medium' },
      { type: 'multicast', dst: 'ff00::/8', dev: 'v0', table: 'local', metric: 256, flags: [] },
    ],
    6,
  ),
];
const MULTICAST = readMulticastRoutes([
  {
    src: '10.0.0.5',
    dst: '239.1.1.1',
    iif: 'v0',
    multipath: [{ oif: 'w0' }],
    state: 'resolved',
    table: 'default',
  },
  { src: '10.0.0.6', dst: '239.1.1.1', iif: 'w0', multipath: [], state: 'unresolved', table: 'default' },
]);
const STATIC = [{ group: '239.7.0.0/16', incoming: 'v0', outgoing: ['w0', 'gone'] }];

describe('route table', () => {
  const table = new RouteTable(LINKS, ROUTES, MULTICAST, STATIC);

  it('an address is global before it is link-local, and none while it is tentative', () => {
    assert.deepEqual(LINKS[1]?.addresses, ['10.0.0.1', 'fd01::1', 'fe80::b4f6:4ff:fe9b:f675']);
  });

  it('an interface without carrier is down', () => {
    assert.deepEqual(
      LINKS.map(({ isUp }) => isUp),
      [true, true, false],
    );
  });

  it('our own address: nothing is outgoing, in IPv4 and IPv6', () => {
    assert.deepEqual(table.route('10.0.0.1'), { outgoing: [] });
    assert.deepEqual(table.route('fd01::1'), { outgoing: [] });
  });

  it('the default route with the lower metric is taken, and one on the local network has no gateway', () => {
    assert.deepEqual(table.nextHop('192.0.2.1'), { interface: 5, gateway: '10.0.1.254' });
    assert.deepEqual(table.nextHop('10.0.0.7'), { interface: 3, gateway: undefined });
  });

  it('of a multipath route the first hop that is not dead is taken', () => {
    assert.deepEqual(table.nextHop('10.9.1.1'), { interface: 3, gateway: '10.0.0.2' });
    assert.deepEqual(table.route('fd09::9'), { outgoing: [3] });
  });

  it('an IPv4 route may lead over an IPv6 router', () => {
    assert.deepEqual(table.nextHop('10.4.0.1'), { interface: 3, gateway: 'fd01::2' });
  });

  for (const address of ['10.7.0.1', '10.8.0.1', '10.0.0.255', 'fd07::1', '239.9.9.9', 'ff0e::1']) {
    it(`${address} is unreachable, a black hole, a broadcast address or unknown: no route`, () => {
      const source = address.includes(':') ? 'fd01::77' : '10.0.0.77';
      assert.equal(table.route(address, source), undefined);
    });
  }

  it('tables that policy rules would choose are not looked at', () => {
    assert.deepEqual(table.route('10.6.0.1'), { outgoing: [5] });
  });

  it('a multicast route of the kernel is one of its source (RFC 2205 3.9)', () => {
    assert.deepEqual(table.route('239.1.1.1', '10.0.0.5'), { incoming: 3, outgoing: [5] });
    assert.equal(table.route('239.1.1.1', '10.0.0.6'), undefined);
  });

  it('a configured multicast route holds for the groups of its prefix, and interfaces that exist', () => {
    assert.deepEqual(table.route('239.7.1.2', '10.0.0.5'), { incoming: 3, outgoing: [5] });
  });

  it('what we send to a group ourselves leaves as unicast would', () => {
    assert.deepEqual(table.route('239.9.9.9', '10.0.0.1'), { outgoing: [5] });
  });

  it('a configured group that is none is refused', () => {
    const wrong = [{ group: 'all', incoming: 'v0', outgoing: [] }];
    assert.throws(() => new RouteTable([], [], [], wrong), /`all` is neither a group nor a prefix/);
  });

  it('what has changed between two readings is told by prefix and group', () => {
    const fewer = ROUTES.filter(({ prefix }) => prefix !== '10.4.0.0/16' && prefix !== 'fd09::/64');
    const other = new RouteTable(LINKS, fewer, [], STATIC);
    const changed = ['10.4.0.0/16', '239.1.1.1 from 10.0.0.5', 'fd09::/64'];
    assert.deepEqual(other.changedSince(table).sort(), changed);
    assert.deepEqual(table.changedSince(other).sort(), changed);
    assert.deepEqual(table.changedSince(table), []);
  });

  for (const [name, json] of [
    ['null', null],
    ['numbers', [1, 2]],
    ['objects of another form', [{ dst: 7 }, { ifname: 3 }, { dst: 'x', dev: {} }, {}]],
  ] as const) {
    it(`${name} instead of what \`ip\` prints gives nothing`, () => {
      const made = new RouteTable(readLinks(json), readRoutes(json, 4), readMulticastRoutes(json), []);
      assert.equal(made.route('10.0.0.1'), undefined);
    });
  }
});

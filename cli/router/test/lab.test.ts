import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { labMode } from '../../lab/namespace.js';
import type { HostLine } from './lab-world.js';
import { LabWorld, linesOf } from './lab-world.js';

/**
 * sender - r1 - r2 - receiver, over raw sockets. r1 judges credentials itself; r2 asks a policy server on the same machine;
 * the link between them carries 10 Mbit/s, 8 of which may be reserved.
 */
describe(`a path of two routers with policies of their own (${labMode() ?? 'not allowed here'})`, function () {
  this.timeout(120_000);
  this.slow(10_000);
  let world: LabWorld;

  before(async function () {
    if (labMode() === undefined) this.skip();
    world = await LabWorld.up('e2e');
    const judging = 'policy: { files: [policy.kn], route: route.key.pub }\nstore: { database: ":memory:" }\n';
    world.write(
      'r1.yaml',
      `name: r1
interfaces:
  - { name: eth0, bandwidth: 100Mbit/s, link: isp }
  - { name: eth1, bandwidth: 10Mbit/s, reservable: 8Mbit/s, link: isp }
refresh: 1s
policy: local
local:
  ${judging.replaceAll('\n', '\n  ')}
control: { socket: r1.sock }
`,
    );
    world.write(
      'r2.yaml',
      `name: r2
interfaces:
  - { name: eth0, bandwidth: 10Mbit/s, link: isp }
  - { name: eth1, bandwidth: 100Mbit/s, link: isp }
refresh: 1s
policy: cops
cops: { pdps: [{ host: 127.0.0.1 }] }
control: { socket: r2.sock }
traffic: { control: "null" }
`,
    );
    world.write(
      'pdp.yaml',
      `listen: [{ address: 127.0.0.1 }]\n${judging}links: [{ name: isp, address: 10.0.0.0/8 }, { name: isp, address: 'fd00::/8' }]\n`,
    );
    await world.serve('r2', 'pdp', '--config', world.file('pdp.yaml'));
    await world.serve('r1', 'router', '--config', world.file('r1.yaml'));
    await world.serve('r2', 'router', '--config', world.file('r2.yaml'));
  });
  after(() => (world as LabWorld | undefined)?.down());

  afterEach(function () {
    world.explain(this.currentTest);
  });

  for (const [family, destination, port] of [
    ['IPv4', '10.1.2.2', 5004],
    ['IPv6', 'fd00:0:0:2::2', 5006],
  ] as const) {
    it(`a paid reservation is confirmed, seen, and torn down (${family})`, async () => {
      const session = `${destination}/udp/${port}`;
      const sender = world.host('sender', 'send', session, '--bandwidth', '2Mbit/s');
      const receiver = world.host('receiver', 'receive', session, '--bandwidth', '2Mbit/s', ...world.paid());
      await receiver.printed(/"event":"confirmed"/, 20_000);
      await sender.printed(/"event":"reserved"/);
      for (const router of ['r1', 'r2']) {
        const out = await world.show(router, 'path', session);
        assert.match(out, /reserved: FF 2 Mbit\/s controlled-load/, out);
      }
      const policy = JSON.parse(await world.show('r2', 'policy', '--json')) as {
        module: string;
        granted: number;
      };
      assert.equal(policy.module, 'cops');
      const classes = await world.node('r1').run(['tc', 'class', 'show', 'dev', 'eth1']);
      assert.match(classes.out, /htb 2205:10 /);

      await world.tearDown(session, sender, receiver);
    });
  }

  it('a reservation that nobody pays for is refused, and the reason reaches the host (RFC 2750 4.3)', async () => {
    const session = '10.1.2.2/udp/5010';
    const sender = world.host('sender', 'send', session);
    const receiver = world.host('receiver', 'receive', session, '--until', 'confirmed', '--for', '20s');
    const { code } = await receiver.ended;
    assert.equal(code, 2, receiver.out + receiver.err);
    const refused = linesOf(receiver).find(({ event }) => event === 'refused');
    // Policy Control failure, ERR_PD_MISS (RFC 2750 Appendix A).
    assert.deepEqual([refused?.code, refused?.value], [2, 14]);
    assert.match(refused?.reason ?? '', /no payment element/);
    await sender.stop('SIGINT');
  });

  it('where there is no room the host is told by whom, and `bandex debug` how much was free', async () => {
    const session = '10.1.2.2/udp/5012';
    const debug = world
      .node('r1')
      .spawn([
        'bandex',
        'debug',
        '--match',
        `session=${session}`,
        '--json',
        '--socket',
        world.file('r1.sock'),
      ]);
    const sender = world.host('sender', 'send', session, '--bandwidth', '9Mbit/s');
    const receiver = world.host(
      'receiver',
      'receive',
      session,
      '--bandwidth',
      '9Mbit/s',
      '--until',
      'confirmed',
      '--for',
      '20s',
      ...world.paid(),
    );
    const { code } = await receiver.ended;
    assert.equal(code, 2, receiver.out + receiver.err);
    const refused = linesOf(receiver).find(({ event }) => event === 'refused');
    // Admission Control failure, Requested bandwidth unavailable (RFC 2205 Appendix B).
    assert.deepEqual([refused?.code, (refused?.value ?? 0) & 0xfff], [1, 2]);
    assert.match(refused?.text ?? '', /^10\.1\.1\.1 says: error 1 \(Admission Control failure\)/);
    await debug.printed(/"kind":"admission-refused"/);
    assert.match(debug.out, /"capacity":1000000,"asked":1125000,"free":1000000/);
    await debug.stop('SIGINT');
    await sender.stop('SIGINT');
  });

  it('a reservation keeps its rate while others fill the link; without one packets are lost', async () => {
    const session = '10.1.2.2/udp/5020';
    const flood = world.host('sender', 'send', '10.1.2.2/udp/5021', '--bandwidth', '14Mbit/s', '--traffic');
    const sender = world.host('sender', 'send', session, '--bandwidth', '7Mbit/s', '--traffic');
    const measure = async (...more: string[]): Promise<HostLine[]> => {
      const receiver = world.host(
        'receiver',
        'receive',
        session,
        '--bandwidth',
        '7500kbit/s',
        '--traffic',
        ...more,
        '--for',
        '9s',
      );
      await receiver.ended;
      return linesOf(receiver).filter(({ event }) => event === 'traffic');
    };
    const without = await measure('--no-reserve');
    const lossy = without.slice(-3).reduce((sum, { loss = 0 }) => sum + loss, 0) / 3;
    assert.ok(lossy > 0.2, `without a reservation ${(lossy * 100).toFixed(1)} % are lost`);
    const plot = world.file('rate.svg');
    const reserved = await measure(...world.paid(), '--plot', plot);
    const clean = reserved.slice(-3).reduce((sum, { loss = 0 }) => sum + loss, 0) / 3;
    assert.ok(clean < 0.01, `with one ${(clean * 100).toFixed(1)} % are lost`);
    assert.match(readFileSync(plot, 'utf8'), /<polyline class="rate"/);
    await Promise.all([flood.stop('SIGINT'), sender.stop('SIGINT')]);
  });
});

import assert from 'node:assert/strict';
import { labMode } from '../../lab/namespace.js';
import type { LabProcess } from '../../lab/node.js';
import type { InterfaceView } from '../control/views.js';
import { eventually, LabWorld, linesOf } from './lab-world.js';

/**
 * sender - r1 - r2 - receiver, where neither host may open raw sockets: they speak RSVP in UDP with their routers, which
 * speak raw RSVP with each other (RFC 2205 Appendix C).
 */
describe(`hosts without raw sockets (${labMode() ?? 'not allowed here'})`, function () {
  this.timeout(120_000);
  this.slow(10_000);
  let world: LabWorld;
  let r1: LabProcess;

  const config = (name: string, udp: string, reservable: string): string => `name: ${name}
interfaces:
${['eth0', 'eth1'].map((one) => `  - { name: ${one}, bandwidth: 10Mbit/s, reservable: ${reservable}, udp: ${String(one === udp)} }`).join('\n')}
refresh: 1s
control: { socket: ${name}.sock }
traffic: { control: "null" }
`;

  before(async function () {
    if (labMode() === undefined) this.skip();
    world = await LabWorld.up('udp');
    world.write('r1.yaml', config('r1', 'eth0', '8Mbit/s'));
    world.write('r2.yaml', config('r2', 'eth1', '8Mbit/s'));
    r1 = await world.serve('r1', 'router', '--config', world.file('r1.yaml'));
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
    it(`reserve, are confirmed, refresh and tear down in UDP (${family})`, async () => {
      const session = `${destination}/udp/${port}`;
      const sender = world.host('sender', 'send', session, '--udp', '--bandwidth', '2Mbit/s');
      const receiver = world.host('receiver', 'receive', session, '--udp', '--bandwidth', '2Mbit/s');
      await receiver.printed(/"event":"confirmed"/, 20_000);
      await sender.printed(/"event":"reserved"/);
      for (const router of ['r1', 'r2'])
        assert.match(await world.show(router, 'path', session), /reserved: FF 2 Mbit\/s controlled-load/);
      // Longer than the lifetime at R = 1 s, 5.25 s (RFC 2205 3.7): it is kept by refreshes alone.
      await new Promise((resolve) => setTimeout(resolve, 7000));
      assert.match(await world.show('r1', 'reservations', '--json'), new RegExp(session));
      await world.tearDown(session, sender, receiver);
    });
  }

  it('are told no by a router that has less to sell since SIGHUP; an error in its file changes nothing', async () => {
    const session = '10.1.2.2/udp/5010';
    const sender = world.host('sender', 'send', session, '--udp', '--bandwidth', '2Mbit/s');
    const asks = async (): Promise<{ code: number | undefined; errors: unknown[] }> => {
      const more = ['--bandwidth', '2Mbit/s', '--until', 'confirmed', '--for', '20s'];
      const receiver = world.host('receiver', 'receive', session, '--udp', ...more);
      const { code } = await receiver.ended;
      const refused = linesOf(receiver).filter(({ event }) => event === 'refused');
      return { code, errors: refused.map((one) => [one.code, (one.value ?? 0) & 0xfff]) };
    };
    // To the router alone, not to `ip monitor` beside it, whose end would have it look around anyway.
    const reload = (): boolean => r1.child.kill('SIGHUP');
    // Octets/s.
    const reservable = async (): Promise<number> => {
      const out = await world.show('r1', 'interfaces', '--match', 'interface=eth1', '--json');
      return (JSON.parse(out) as InterfaceView).reservable;
    };
    world.write('r1.yaml', config('r1', 'eth0', '1Mbit/s'));
    reload();
    await eventually(async () => (await reservable()) === 125_000, 5000);
    const isRefused = async (): Promise<void> => {
      const { code, errors } = await asks();
      assert.equal(code, 2, JSON.stringify(errors));
      // Admission Control failure, Requested bandwidth unavailable (RFC 2205 Appendix B).
      assert.deepEqual(errors[0], [1, 2]);
    };
    await isRefused();
    world.write('r1.yaml', 'interfaces: [');
    reload();
    await r1.printed(/not reloaded/);
    await isRefused();
    world.write('r1.yaml', config('r1', 'eth0', '8Mbit/s'));
    reload();
    await eventually(async () => (await reservable()) === 1_000_000, 5000);
    assert.equal((await asks()).code, 0);
    await sender.stop('SIGINT');
  });
});

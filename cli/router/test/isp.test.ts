import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { labMode } from '../../lab/namespace.js';
import type { LabProcess } from '../../lab/node.js';
import { eventually, LabWorld, linesOf } from './lab-world.js';

const SESSION = '10.1.2.2/udp/5004';
/** In CI they are there. */
const hasTools =
  process.env['CI'] !== undefined ||
  ['tcpdump', 'tshark'].every((tool) => spawnSync(tool, ['--version']).status === 0);

/** Two routers of one ISP ask one policy server that keeps its books in a file; the link between them is the bottleneck. */
describe(`an ISP of two routers and a policy server (${labMode() ?? 'not allowed here'})`, function () {
  this.timeout(120_000);
  this.slow(10_000);
  let world: LabWorld;
  let sender: LabProcess;
  let receiver: LabProcess;
  let pdp: string;

  before(async function () {
    if (labMode() === undefined) this.skip();
    world = await LabWorld.up('isp', { captures: hasTools });
    pdp = world.write(
      'pdp.yaml',
      `listen: [{ address: 10.1.1.1 }]
policy: { files: [policy.kn], route: route.key.pub }
store: { database: books.db }
links: [{ name: isp, address: 10.0.0.0/8 }]
`,
    );
    for (const name of ['r1', 'r2'])
      world.write(
        `${name}.yaml`,
        `name: ${name}
interfaces:
  - { name: eth0, bandwidth: 10Mbit/s, reservable: 8Mbit/s, link: isp }
  - { name: eth1, bandwidth: 10Mbit/s, reservable: 8Mbit/s, link: isp }
refresh: 1s
policy: cops
cops: { pdps: [{ host: 10.1.1.1 }] }
control: { socket: ${name}.sock }
`,
      );
    await world.serve('r1', 'pdp', '--config', pdp);
    for (const name of ['r1', 'r2'])
      await world.serve(name, 'router', '--config', world.file(`${name}.yaml`));
  });
  after(() => (world as LabWorld | undefined)?.down());
  afterEach(function () {
    world.explain(this.currentTest);
  });

  const payments = () =>
    world
      .bandex('payments', '--config', pdp, '--json')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { state: string; amount: string; heldAt: string[] });

  /** Reservations that the kernel of r1 keeps on the bottleneck: link, best effort and signalling are always there. */
  async function classes(): Promise<string[]> {
    const { out } = await world.node('r1').run(['tc', 'class', 'show', 'dev', 'eth1']);
    return [...out.matchAll(/htb (2205:\w+)/g)].map(([, id = '']) => id).filter((id) => id.length > 6);
  }

  /** What of the flow is lost while others fill the link, once it has come to an even state. */
  async function lossOf(from: LabProcess): Promise<number> {
    const seen = linesOf(from).filter(({ event }) => event === 'traffic').length;
    await eventually(() => linesOf(from).filter(({ event }) => event === 'traffic').length > seen + 6);
    const last = linesOf(from)
      .filter(({ event }) => event === 'traffic')
      .slice(-4);
    return last.reduce((sum, { loss = 0 }) => sum + loss, 0) / last.length;
  }

  it('is paid once for a reservation over both, which the kernel of each keeps', async () => {
    sender = world.host('sender', 'send', SESSION, '--bandwidth', '2Mbit/s', '--traffic');
    const plot = ['--plot', world.file('rate.svg')];
    const asked = ['--bandwidth', '2200kbit/s', '--traffic', ...plot];
    receiver = world.host('receiver', 'receive', SESSION, ...asked, ...world.paid());
    await receiver.printed(/"event":"confirmed"/, 20_000);
    await eventually(() => payments()[0]?.heldAt.length === 2);
    const [payment, ...others] = payments();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [payment?.state, payment?.amount, [...(payment?.heldAt ?? [])].sort()],
      ['committed', '0.44', ['r1', 'r2']],
    );
    assert.equal((await classes()).length, 1);
  });

  it('loses nothing of it while others fill the link; of the same without a reservation more than 20 % are lost', async () => {
    const flood = world.host('sender', 'send', '10.1.2.2/udp/5021', '--bandwidth', '30Mbit/s', '--traffic');
    const [other, port] = ['10.1.2.2/udp/5005', '5005'];
    const unpaid = world.host('sender', 'send', other, '--bandwidth', '2Mbit/s', '--traffic');
    const watcher = world.host('receiver', 'receive', other, '--traffic', '--no-reserve');
    const [with_, without] = await Promise.all([lossOf(receiver), lossOf(watcher)]);
    assert.equal(with_, 0);
    assert.ok(without > 0.2, `of the flow to port ${port} ${(without * 100).toFixed(1)} % are lost`);
    await Promise.all([flood, unpaid, watcher].map((process) => process.stop('SIGINT')));
  });

  it('has its state back within a refresh period of a restart after SIGKILL, pays nothing again, and keeps no stale class', async () => {
    const [, r1] = world.services;
    assert.ok(r1 !== undefined);
    r1.kill('SIGKILL');
    await r1.ended;
    const before = await classes();
    assert.equal(before.length, 1, 'what a killed router made is still there');
    await world.serve('r1', 'router', '--config', world.file('r1.yaml'));
    // R = 1 s: a Path comes within 1.5 s (RFC 2205 3.7), and a Resv as soon as r2 is told, or within 1.5 s more.
    const started = Date.now();
    await eventually(async () => (await world.show('r1', 'reservations', '--json')).includes(SESSION), 6000);
    const took = Date.now() - started;
    await eventually(async () => (await classes()).length === 1);
    assert.deepEqual(
      payments().map(({ state }) => state),
      ['committed'],
      `after ${took} ms`,
    );
  });

  it('refuses a check of too little, and Alice is told why', async () => {
    const session = '10.1.2.2/udp/5010';
    const other = world.host('sender', 'send', session, '--bandwidth', '1Mbit/s');
    const until = ['--until', 'confirmed', '--for', '20s'];
    const alice = world.host('receiver', 'receive', session, ...until, ...world.paid('0.11'));
    const { code } = await alice.ended;
    assert.equal(code, 2, alice.out + alice.err);
    const refused = linesOf(alice).find(({ event }) => event === 'refused');
    // Policy Control failure (RFC 2205 Appendix B).
    assert.equal(refused?.code, 2);
    assert.match(refused.reason ?? '', /amount/);
    assert.equal(payments().length, 1);
    await other.stop('SIGINT');
  });

  it('is told when it is over: the classes are gone, and the payment has ended', async () => {
    const { code } = await receiver.stop('SIGINT');
    assert.equal(code, 0);
    await eventually(async () => (await classes()).length === 0);
    await eventually(() => payments()[0]?.state === 'ended');
    assert.match(readFileSync(world.file('rate.svg'), 'utf8'), /<polyline class="rate"/);
    await sender.stop('SIGINT');
  });

  (hasTools ? it : it.skip)('says nothing on the wire that Wireshark finds malformed', async () => {
    const tshark = (...args: string[]): string[] => {
      const { status, stdout, stderr } = spawnSync('tshark', ['-r', world.file('wire.pcap'), ...args], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      return stdout.split('\n').filter((line) => line !== '');
    };
    await eventually(() => tshark('-Y', 'rsvp.msg == 5').length > 0);
    const types = new Set(tshark('-Y', 'rsvp', '-T', 'fields', '-e', 'rsvp.msg'));
    // Path, Resv, PathTear, ResvTear, ResvConf: what is refused is refused by r2, and does not come here.
    for (const type of ['1', '2', '5', '6', '7']) assert.ok(types.has(type), `no message of type ${type}`);
    assert.deepEqual(tshark('-Y', 'rsvp && (_ws.malformed || _ws.expert.severity >= "Warning")', '-V'), []);
    const checksums = tshark('-Y', 'rsvp', '-V').filter((line) => line.includes('Message Checksum'));
    assert.ok(checksums.length > 10);
    assert.deepEqual(
      checksums.filter((line) => !line.includes('[correct]')),
      [],
    );
  });
});

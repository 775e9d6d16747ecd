import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeCapture } from '../../../rsvp/capture/index.js';
import { checksumOf, fromHex, toHex } from '../../../rsvp/wire/index.js';
import { labMode } from '../../lab/namespace.js';
import type { LabProcess } from '../../lab/node.js';
import type { Shot } from './attacker.js';
import { eventually, LabWorld } from './lab-world.js';

const SESSION = '10.1.2.2/udp/5004';
const ATTACKER = fileURLToPath(new URL('./attacker.js', import.meta.url));
const [SENDER, RECEIVER, R1, R2] = ['10.1.0.1', '10.1.2.2', '10.1.1.1', '10.1.1.2'];
const hasTcpdump = process.env['CI'] !== undefined || spawnSync('tcpdump', ['--version']).status === 0;

/** Messages that nobody should heed, sent to a router's raw socket; the routers share a key (RFC 2747). */
describe(`a router among enemies (${labMode() ?? 'not allowed here'})`, function () {
  this.timeout(120_000);
  this.slow(10_000);
  let world: LabWorld;
  let hosts: LabProcess[];
  /** Messages of r2 to r1 and of the sender, as they were on the wire. */
  let resv = '';
  let path = '';

  before(async function () {
    if (labMode() === undefined || !hasTcpdump) this.skip();
    world = await LabWorld.up('enemies', { captures: true });
    const integrity = "integrity: { keys: [{ id: 17, secret: 'between the routers' }] }";
    const plain = '{ name: NAME, bandwidth: 10Mbit/s, reservable: 8Mbit/s }';
    const keyed = plain.replace(' }', `, ${integrity} }`);
    for (const [name, eth0, eth1] of [
      ['r1', plain, keyed],
      ['r2', keyed, plain],
    ] as const)
      world.write(
        `${name}.yaml`,
        `name: ${name}
interfaces:
  - ${eth0.replace('NAME', 'eth0')}
  - ${eth1.replace('NAME', 'eth1')}
refresh: 1s
policy: none
traffic: { control: "null" }
control: { socket: ${name}.sock }
`,
      );
    for (const name of ['r1', 'r2'])
      await world.serve(name, 'router', '--config', world.file(`${name}.yaml`));
    hosts = [
      world.host('sender', 'send', SESSION, '--bandwidth', '2Mbit/s'),
      world.host('receiver', 'receive', SESSION, '--bandwidth', '2Mbit/s'),
    ];
    await hosts[1]?.printed(/"event":"confirmed"/, 20_000);
    const onTheWire = (msgType: number): string | undefined =>
      decodeCapture(readFileSync(world.file('wire.pcap')))
        .map(({ payload }) => toHex(payload))
        .find((hex) => hex.startsWith(`1${hex[1] ?? ''}0${msgType}`));
    await eventually(() => onTheWire(1) !== undefined && onTheWire(2) !== undefined);
    [path, resv] = [onTheWire(1) ?? '', onTheWire(2) ?? ''];
  });
  after(() => (world as LabWorld | undefined)?.down());
  afterEach(function () {
    world.explain(this.currentTest);
  });

  async function counters(): Promise<ReadonlyMap<string, number>> {
    const lines = (await world.show('r1', 'counters', '--json')).split('\n').filter((line) => line !== '');
    return new Map(
      lines.map((line) => {
        const { counter, value } = JSON.parse(line) as { counter: string; value: number };
        return [counter, value];
      }),
    );
  }

  /** What r1 holds, without ages. */
  async function state(): Promise<unknown> {
    const rows: unknown[] = [];
    for (const what of ['sessions', 'senders', 'reservations'])
      for (const line of (await world.show('r1', what, '--json')).split('\n').filter((one) => one !== '')) {
        const { refreshedAgo, expiresIn, ...row } = JSON.parse(line) as Record<string, unknown>;
        assert.ok(what === 'sessions' || (refreshedAgo !== undefined && expiresIn !== undefined));
        rows.push(row);
      }
    return rows;
  }

  async function shoot(from: string, device: string, shots: readonly Shot[]): Promise<void> {
    const { code, err } = await world
      .node(from)
      .run([process.execPath, ATTACKER, device], { input: JSON.stringify(shots) });
    assert.equal(code, 0, err);
  }

  /** With one octet other, and the checksum right again where it is to be. */
  function altered(hex: string, at: number, value: number, { checksum = true } = {}): string {
    const octets = Uint8Array.from(fromHex(hex) ?? []);
    octets[at] = value;
    if (checksum) {
      octets[2] = octets[3] = 0;
      const sum = checksumOf(octets);
      [octets[2], octets[3]] = [sum >> 8, sum & 0xff];
    }
    return toHex(octets);
  }

  /** Without INTEGRITY, the first object. */
  function unsigned(hex: string): string {
    const octets = fromHex(hex) ?? new Uint8Array();
    assert.equal(octets[10], 4, 'INTEGRITY comes first (RFC 2747 2.1)');
    const object = (octets[8] ?? 0) * 256 + (octets[9] ?? 0);
    const rest = Uint8Array.of(...octets.subarray(0, 8), ...octets.subarray(8 + object));
    [rest[6], rest[7]] = [rest.length >> 8, rest.length & 0xff];
    return altered(toHex(rest), 5, 0);
  }

  it('counts each by its cause, and its state stays as it is', async () => {
    const before = [await counters(), await state()] as const;
    const bare = unsigned(path);
    const ttl = 63;
    const times = 3;
    await shoot('sender', 'eth0', [
      { destination: R1, ttl, times, hex: altered(bare, 2, 0x55, { checksum: false }) },
      { destination: R1, ttl, times, hex: '10010000' },
      { destination: R1, ttl, times, hex: altered(bare, 0, 0x20) },
      { destination: R1, ttl, times, hex: altered(bare, 7, 9) },
      // Of a sender that is somebody else, from nobody's address (RFC 2205 3.1.3).
      { destination: RECEIVER, source: SENDER, ttl, times: 1, hex: bare },
      { destination: R1, ttl: 1, times, hex: altered(bare, 4, 1) },
    ]);
    await shoot('r2', 'eth0', [
      { destination: R1, source: R2, ttl: 255, times, hex: resv },
      { destination: R1, source: R2, ttl: 255, times, hex: unsigned(resv) },
      { destination: R1, source: R2, ttl: 255, times, hex: altered(resv, 40, 0xaa) },
      { destination: R1, source: R2, ttl: 255, times, hex: altered(resv, 19, 99) },
    ]);
    const grown = async (cause: string): Promise<number> => {
      const name = `dropped.${cause}`;
      return ((await counters()).get(name) ?? 0) - (before[0].get(name) ?? 0);
    };
    for (const cause of [
      'bad-checksum',
      'truncated',
      'bad-version',
      'bad-length',
      'replayed',
      'unauthenticated',
      'bad-digest',
      'unknown-key',
    ])
      await eventually(async () => (await grown(cause)) >= times).catch(() =>
        grown(cause).then((count) => assert.fail(`${count} counted as ${cause}`)),
      );
    assert.deepEqual(await state(), before[1]);
  });

  it('goes through a flood: nothing is lost, and what it cannot read in time is counted', async () => {
    const before = await state();
    const [random, hex] = [
      Array.from({ length: 60 }, (_, i) => ((i * 37) & 0xff).toString(16).padStart(2, '0')).join(''),
      altered(unsigned(path), 9, 0xff),
    ];
    await shoot('sender', 'eth0', [
      { destination: R1, ttl: 63, times: 20_000, hex: random },
      { destination: R1, ttl: 63, times: 20_000, hex },
    ]);
    await eventually(async () => {
      const now = await counters();
      const all = [...now].filter(([name]) => /^dropped|^transport\.dropped/.test(name));
      return all.reduce((sum, [, value]) => sum + value, 0) >= 40_000;
    });
    assert.deepEqual(await state(), before);
    const [, receiver] = hosts;
    assert.doesNotMatch(receiver?.out ?? '', /"event":"(released|refused|lost)"/);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lab } from '../../lab/lab.js';
import { labMode } from '../../lab/namespace.js';
import type { LabProcess } from '../../lab/node.js';
import { topology } from '../../lab/topology.js';
import { bandex } from '../../test/run.js';

interface Event {
  readonly event: string;
  readonly text: string;
  readonly code?: number;
  readonly value?: number;
  readonly reason?: string;
  readonly received?: number;
  readonly loss?: number;
}

/**
 * sender - r1 - r2 - receiver, over raw sockets. r1 judges credentials itself; r2 asks a policy server on the same machine;
 * the link between them carries 10 Mbit/s, 8 of which may be reserved.
 */
describe(`a path of two routers with policies of their own (${labMode() ?? 'not allowed here'})`, function () {
  this.timeout(120_000);
  this.slow(10_000);
  let folder = '';
  let lab: Lab | undefined;
  const services: LabProcess[] = [];
  const file = (name: string): string => join(folder, name);
  const write = (name: string, text: string): void => writeFileSync(file(name), text);
  const node = (name: string) => {
    assert.ok(lab !== undefined);
    return lab.node(name);
  };
  const run = (...args: string[]): string => {
    const { code, out, err } = bandex(args);
    assert.equal(code, 0, `${args.join(' ')}: ${err}`);
    return out;
  };

  before(async function () {
    if (labMode() === undefined) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'bandex-e2e-'));
    for (const name of ['martha', 'alice', 'nick', 'route']) run('keynote', 'keygen', file(`${name}.key`));
    const key = (name: string): string => readFileSync(file(`${name}.key.pub`), 'utf8').trim();
    write(
      'authorization',
      run(
        'credit',
        '--key',
        file('martha.key'),
        '--to',
        file('alice.key.pub'),
        '--max',
        '0.55',
        '--until',
        '2099-01-01',
      ),
    );
    write(
      'offer',
      run(
        'offer',
        '--key',
        file('nick.key'),
        '--to',
        file('route.key.pub'),
        '--price',
        '0.44',
        '--bandwidth',
        '50Mbit/s',
        '--link',
        'isp',
      ),
    );
    write(
      'policy.kn',
      `KeyNote-Version: 2\nAuthorizer: "POLICY"\nLicensees: ${key('martha')} && ${key('nick')}\nConditions: app_domain == "Band-X" -> "true";\n`,
    );
    const judging = 'policy: { files: [policy.kn], route: route.key.pub }\nstore: { database: ":memory:" }\n';
    write(
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
    write(
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
    write(
      'pdp.yaml',
      `listen: [{ address: 127.0.0.1 }]\n${judging}links: [{ name: isp, address: 10.0.0.0/8 }, { name: isp, address: 'fd00::/8' }]\n`,
    );
    lab = await Lab.up(
      topology({
        name: `e2e-${process.pid}`.slice(0, 15),
        nodes: [
          { name: 'sender' },
          { name: 'r1', role: 'router' },
          { name: 'r2', role: 'router' },
          { name: 'receiver' },
        ],
        links: [
          { between: ['sender', 'r1'] },
          { between: ['r1', 'r2'], rate: '10Mbit/s' },
          { between: ['r2', 'receiver'] },
        ],
      }),
    );
    const service = async (at: string, ...args: string[]): Promise<void> => {
      const started = node(at).spawn(['bandex', ...args]);
      services.push(started);
      await started.printed(/listening on/, 30_000);
    };
    await service('r2', 'pdp', '--config', file('pdp.yaml'));
    await service('r1', 'router', '--config', file('r1.yaml'));
    await service('r2', 'router', '--config', file('r2.yaml'));
  });
  after(async () => {
    await lab?.down();
    if (folder !== '') rmSync(folder, { recursive: true });
  });

  /** What the routers and the policy server had to say. */
  afterEach(function () {
    if (this.currentTest?.state === 'failed')
      for (const { argv, err } of services) console.error(argv.join(' '), err);
  });

  let checks = 0;
  /** Credentials that pay for one reservation. */
  function paid(): string[] {
    const check = file(`check-${++checks}`);
    writeFileSync(
      check,
      run('check', '--key', file('alice.key'), '--to', file('nick.key.pub'), '--amount', '0.44'),
    );
    return [file('offer'), file('authorization'), '--check', check];
  }

  function host(at: string, what: 'send' | 'receive', session: string, ...more: string[]): LabProcess {
    return node(at).spawn([
      'bandex',
      'host',
      what,
      '--session',
      session,
      '--refresh',
      '1s',
      '--json',
      ...more,
    ]);
  }

  function eventsOf(process: Pick<LabProcess, 'out'>): Event[] {
    return process.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  }

  async function show(router: string, ...args: string[]): Promise<string> {
    const { code, out, err } = await node(router).run([
      'bandex',
      'show',
      ...args,
      '--socket',
      file(`${router}.sock`),
    ]);
    assert.equal(code, 0, err);
    return out;
  }

  /** Until `look` finds what it wants. */
  async function eventually(look: () => Promise<boolean>): Promise<void> {
    for (const until = Date.now() + 15_000; !(await look());)
      if (Date.now() > until) assert.fail('it did not happen in time');
  }

  for (const [family, destination, port] of [
    ['IPv4', '10.1.2.2', 5004],
    ['IPv6', 'fd00:0:0:2::2', 5006],
  ] as const) {
    it(`a paid reservation is confirmed, seen, and torn down (${family})`, async () => {
      const session = `${destination}/udp/${port}`;
      const sender = host('sender', 'send', session, '--bandwidth', '2Mbit/s');
      const receiver = host('receiver', 'receive', session, '--bandwidth', '2Mbit/s', ...paid());
      await receiver.printed(/"event":"confirmed"/, 20_000);
      await sender.printed(/"event":"reserved"/);
      for (const router of ['r1', 'r2']) {
        const out = await show(router, 'path', session);
        assert.match(out, /reserved: FF 2 Mbit\/s controlled-load/, out);
      }
      const policy = JSON.parse(await show('r2', 'policy', '--json')) as { module: string; granted: number };
      assert.equal(policy.module, 'cops');
      const classes = await node('r1').run(['tc', 'class', 'show', 'dev', 'eth1']);
      assert.match(classes.out, /htb 2205:10 /);

      const { code } = await receiver.stop('SIGINT');
      assert.equal(code, 0);
      await sender.printed(/"event":"released"/);
      await eventually(async () => !(await show('r1', 'reservations', '--json')).includes(session));
      await sender.stop('SIGINT');
      await eventually(async () => !(await show('r1', 'senders', '--json')).includes(session));
    });
  }

  it('a reservation that nobody pays for is refused, and the reason reaches the host (RFC 2750 4.3)', async () => {
    const session = '10.1.2.2/udp/5010';
    const sender = host('sender', 'send', session);
    const receiver = host('receiver', 'receive', session, '--until', 'confirmed', '--for', '20s');
    const { code } = await receiver.ended;
    assert.equal(code, 2, receiver.out + receiver.err);
    const refused = eventsOf(receiver).find(({ event }) => event === 'refused');
    // Policy Control failure, ERR_PD_MISS (RFC 2750 Appendix A).
    assert.deepEqual([refused?.code, refused?.value], [2, 14]);
    assert.match(refused?.reason ?? '', /no payment element/);
    await sender.stop('SIGINT');
  });

  it('where there is no room the host is told by whom, and `bandex debug` how much was free', async () => {
    const session = '10.1.2.2/udp/5012';
    const debug = node('r1').spawn([
      'bandex',
      'debug',
      '--match',
      `session=${session}`,
      '--json',
      '--socket',
      file('r1.sock'),
    ]);
    const sender = host('sender', 'send', session, '--bandwidth', '9Mbit/s');
    const receiver = host(
      'receiver',
      'receive',
      session,
      '--bandwidth',
      '9Mbit/s',
      '--until',
      'confirmed',
      '--for',
      '20s',
      ...paid(),
    );
    const { code } = await receiver.ended;
    assert.equal(code, 2, receiver.out + receiver.err);
    const refused = eventsOf(receiver).find(({ event }) => event === 'refused');
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
    const flood = host('sender', 'send', '10.1.2.2/udp/5021', '--bandwidth', '14Mbit/s', '--traffic');
    const sender = host('sender', 'send', session, '--bandwidth', '7Mbit/s', '--traffic');
    const measure = async (...more: string[]): Promise<Event[]> => {
      const receiver = host(
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
      return eventsOf(receiver).filter(({ event }) => event === 'traffic');
    };
    const without = await measure('--no-reserve');
    const lossy = without.slice(-3).reduce((sum, { loss = 0 }) => sum + loss, 0) / 3;
    assert.ok(lossy > 0.2, `without a reservation ${(lossy * 100).toFixed(1)} % are lost`);
    const plot = file('rate.svg');
    const reserved = await measure(...paid(), '--plot', plot);
    const clean = reserved.slice(-3).reduce((sum, { loss = 0 }) => sum + loss, 0) / 3;
    assert.ok(clean < 0.01, `with one ${(clean * 100).toFixed(1)} % are lost`);
    assert.match(readFileSync(plot, 'utf8'), /<polyline class="rate"/);
    await Promise.all([flood.stop('SIGINT'), sender.stop('SIGINT')]);
  });
});

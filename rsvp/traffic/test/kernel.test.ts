import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrafficError } from '../control.js';
import { TcTrafficControl } from '../io/index.js';
import { Namespaces } from './namespaces.js';
import { filter4, LINK, reservation } from './reservations.js';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Shown {
  readonly kind: string;
  readonly options?: { readonly flowid?: string; readonly fh?: string };
}

describe(`traffic control in the kernel (${Namespaces.mode ?? 'not allowed here'})`, function () {
  this.slow(2000);
  const net = new Namespaces();
  let control: TcTrafficControl;
  let index = 0;

  before(async function () {
    if (Namespaces.mode === undefined) this.skip();
    await net.make('sender', 'router', 'receiver');
    net.connect('sender', 'eth0', 'router', 'eth0');
    net.connect('router', 'eth1', 'receiver', 'eth0');
    net.address('sender', 'eth0', '10.0.0.1/24', 'fd00:0::1/64');
    net.address('router', 'eth0', '10.0.0.254/24', 'fd00:0::fe/64');
    net.address('router', 'eth1', '10.0.9.254/24', 'fd00:9::fe/64');
    net.address('receiver', 'eth0', '10.0.9.9/24', 'fd00:9::9/64');
    net.run('router', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    net.run('router', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding');
    net.run('sender', 'ip', 'route', 'add', 'default', 'via', '10.0.0.254');
    net.run('sender', 'ip', 'route', 'add', 'default', 'via', 'fd00:0::fe');
    net.run('receiver', 'ip', 'route', 'add', 'default', 'via', '10.0.9.254');
    net.run('receiver', 'ip', 'route', 'add', 'default', 'via', 'fd00:9::fe');
    index = net.index('router', 'eth1');
  });
  beforeEach(async () => {
    control = new TcTrafficControl({ tc: [...net.enter('router'), 'tc'] });
    await control.start([{ ...LINK, index }]);
  });
  afterEach(async () => {
    await control.close();
    assert.deepEqual(root(), 'noqueue');
  });
  after(() => net.remove());

  const reserve = (change: Parameters<typeof reservation>[0] = {}): Promise<void> =>
    control.reserve(reservation({ interface: index, ...change }));
  const tc = (...words: string[]): Shown[] =>
    JSON.parse(net.run('router', 'tc', '-json', ...words)) as Shown[];
  const root = (): string => tc('qdisc', 'show', 'dev', 'eth1')[0]?.kind ?? 'none';
  const filtersTo = (classid: string): Shown[] =>
    tc('filter', 'show', 'dev', 'eth1', 'parent', '2205:').filter(
      ({ options }) => options?.flowid === classid,
    );
  const classText = (classid: string): string | undefined =>
    net
      .run('router', 'tc', 'class', 'show', 'dev', 'eth1')
      .split('\n')
      .find((line) => line.startsWith(`class htb ${classid} `));

  it('has the class and the filter when the promise is fulfilled', async () => {
    await reserve();
    // 250,000 octets a second in packets of 1,014 octets are 253,452 with Ethernet headers.
    assert.match(
      classText('2205:10') ?? '',
      /parent 2205:1 leaf \w+: prio 3 rate 2027Kbit ceil 10Mbit burst 20276b/,
    );
    const [filter, ...more] = filtersTo('2205:10');
    assert.deepEqual(more, []);
    assert.equal(filter?.options?.fh, '109:8c:10');
  });

  it('takes all away when a reservation is released', async () => {
    const before = net.run('router', 'tc', 'class', 'show', 'dev', 'eth1');
    await reserve();
    await control.release(1, index);
    assert.equal(net.run('router', 'tc', 'class', 'show', 'dev', 'eth1'), before);
    assert.deepEqual(filtersTo('2205:10'), []);
  });

  it('changes the senders of a shared reservation in place', async () => {
    const [a, b, c] = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((address) => filter4(address, 5004));
    await reserve({ style: 'SE', filters: [a!, b!] });
    assert.equal(filtersTo('2205:10').length, 2);
    await reserve({ style: 'SE', filters: [b!, c!], rate: 125_000 });
    assert.equal(filtersTo('2205:10').length, 2);
    assert.match(classText('2205:10') ?? '', /rate 1013/);
  });

  it('says which reservation a failure belongs to, and what was in force before still is', async () => {
    await reserve();
    net.run('router', 'tc', 'qdisc', 'del', 'dev', 'eth1', 'root');
    await assert.rejects(reserve({ id: 2 }), (error: TrafficError) => {
      assert.ok(error instanceof TrafficError);
      assert.equal(error.details.reservation, 2);
      assert.equal(error.details.interface, index);
      assert.match(error.details.command ?? '', /^class change dev eth1/);
      return true;
    });
  });

  it('leaves a foreign queueing discipline alone, says what it is, and takes over where told to', async () => {
    await control.close();
    net.run('router', 'tc', 'qdisc', 'add', 'dev', 'eth1', 'root', 'handle', '7:', 'htb');
    const other = new TcTrafficControl({ tc: [...net.enter('router'), 'tc'] });
    await assert.rejects(
      other.start([{ ...LINK, index }]),
      /eth1 has a queueing discipline that is not ours, `qdisc htb 7: root/,
    );
    assert.equal(root(), 'htb');
    const taking = new TcTrafficControl({ tc: [...net.enter('router'), 'tc'], takeover: true });
    await taking.start([{ ...LINK, index }]);
    assert.equal(
      tc('qdisc', 'show', 'dev', 'eth1').some((qdisc) => (qdisc as { handle?: string }).handle === '2205:'),
      true,
    );
    await taking.close();
  });

  it('refuses an interface that a living process controls', async () => {
    const other = new TcTrafficControl({ tc: [...net.enter('router'), 'tc'] });
    await assert.rejects(other.start([{ ...LINK, index }]), /another process controls eth1/);
    assert.ok(classText('2205:2'));
  });

  it('removes what a process left that was killed', async () => {
    await control.close();
    const { child, output } = net.spawn('router', process.execPath, script('hold.js'), 'eth1', String(index));
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    assert.ok(classText('2205:10'));
    child.kill('SIGKILL');
    await output;
    assert.ok(classText('2205:10'));
    await control.start([{ ...LINK, index }]);
    assert.equal(classText('2205:10'), undefined);
  });

  it('outlives an interface that goes and comes back', async () => {
    await reserve();
    net.run('router', 'ip', 'link', 'del', 'eth1');
    await control.remove(index);
    assert.deepEqual((await control.statistics()).reservations, []);
    net.connect('router', 'eth1', 'receiver', 'eth0');
    net.address('router', 'eth1', '10.0.9.254/24', 'fd00:9::fe/64');
    net.address('receiver', 'eth0', '10.0.9.9/24', 'fd00:9::9/64');
    net.run('receiver', 'ip', 'route', 'add', 'default', 'via', '10.0.9.254');
    net.run('receiver', 'ip', 'route', 'add', 'default', 'via', 'fd00:9::fe');
    const again = net.index('router', 'eth1');
    assert.notEqual(again, index);
    index = again;
    await control.add({ ...LINK, index });
    await reserve();
    assert.equal(filtersTo('2205:10').length, 1);
  });

  /** Packets lost of a flow of 2 Mbit/s for two seconds while 25 Mbit/s of best effort flood a link of 10. */
  async function lossUnderFlood(): Promise<number> {
    const receiver = net.spawn('receiver', process.execPath, script('udp-receive.js'), '5004', '9000');
    await new Promise((resolve) => receiver.child.stdout?.once('data', resolve));
    const send = (port: string, octets: number, perSecond: number, seconds: number) =>
      net.spawn(
        'sender',
        process.execPath,
        script('udp-send.js'),
        ...['10.0.9.9', port, port, String(octets), String(perSecond), String(seconds)],
      );
    const flood = send('9000', 600, 5000, 3.5);
    await sleep(500);
    const flow = send('5004', 1200, 200, 2);
    const sent = Number(await flow.output);
    await flood.output;
    await sleep(300);
    receiver.child.stdin?.end();
    const counts = JSON.parse((await receiver.output).replace('ready\n', '')) as Record<string, number>;
    assert.equal(sent, 400);
    return sent - (counts['5004'] ?? 0);
  }

  it('loses nothing of a reserved flow while best effort floods the link (RFC 2211 2)', async function () {
    this.timeout(20_000);
    await reserve({ minimumPolicedUnit: 1228 });
    assert.equal(await lossUnderFlood(), 0);
    const { reservations, interfaces } = await control.statistics();
    const [{ packets, octets, drops }] = reservations as [(typeof reservations)[number]];
    assert.deepEqual({ packets, octets, drops }, { packets: 400, octets: 400 * (1200 + 28 + 14), drops: 0 });
    assert.ok((interfaces[0]?.bestEffort.drops ?? 0) > 1000);
  });

  it('loses more than a fifth of the same flow without a reservation', async function () {
    this.timeout(20_000);
    const lost = await lossUnderFlood();
    assert.ok(lost > 80, `lost ${lost} of 400`);
  });
});

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Line } from './namespace.js';
import { Talker } from './talker.js';

const DRIVER = fileURLToPath(new URL('network-driver.js', import.meta.url));

describe('the kernel network, in a network namespace', () => {
  let line: Line;
  let network: Talker;
  let started: Awaited<ReturnType<Talker['next']>>;

  before(async () => {
    line = await Line.make();
    await line.router.sh('ip route add 10.9.0.0/16 via 10.2.0.1');
    network = new Talker(line.router, DRIVER);
    started = await network.next('started');
  });

  after(async () => {
    network.kill();
    await line.remove();
  });

  async function route(address: string): Promise<{ outgoing: unknown; gateway: unknown }> {
    network.write(address);
    const { outgoing, gateway } = await network.next('route');
    return { outgoing, gateway };
  }

  /** Changes until one is about `what`. */
  async function change(about: string): Promise<Awaited<ReturnType<Talker['next']>>> {
    while (true) {
      const told = await network.next('change');
      if (JSON.stringify(told).includes(about)) return told;
    }
  }

  it('interfaces have their addresses, MTU and settings; the loopback one has nothing to reserve', () => {
    const interfaces = started['interfaces'] as Record<string, unknown>[];
    const { addresses, ...rest } = interfaces.find(({ name }) => name === 'r0')!;
    assert.equal(typeof rest['index'], 'number');
    assert.deepEqual((addresses as string[]).slice(0, 2), ['10.1.0.2', 'fd01::2']);
    const expected = {
      name: 'r0',
      index: rest['index'],
      mtu: 1500,
      isUp: true,
      reservable: 1_000,
      bandwidth: 125_000,
    };
    assert.deepEqual(rest, expected);
    assert.equal(interfaces.find(({ name }) => name === 'lo')!['reservable'], 0);
    assert.equal(started['forwards'], true);
  });

  it('a route is answered, and our own addresses are known', async () => {
    const { outgoing } = await route('10.9.1.1');
    assert.equal((outgoing as number[]).length, 1);
    assert.deepEqual(await route('10.9.1.1'), { outgoing, gateway: '10.2.0.1' });
    assert.deepEqual(await route('10.1.0.2'), { outgoing: [], gateway: undefined });
    assert.deepEqual(await route('fd02::2'), { outgoing: [], gateway: undefined });
    assert.deepEqual(await route('192.0.2.9'), { outgoing: undefined, gateway: undefined });
  });

  it('a route that changes is told, and answered anew (RFC 2205 3.6: local repair)', async () => {
    await line.router.sh('ip route replace 10.9.0.0/16 via 10.1.0.1');
    assert.deepEqual((await change('10.9.0.0/16'))['routes'], ['10.9.0.0/16']);
    assert.equal((await route('10.9.1.1')).gateway, '10.1.0.1');
    await line.router.sh('ip route del 10.9.0.0/16; ip -6 route add fd09::/48 via fd02::1');
    await change('fd09::/48');
    assert.deepEqual(await route('10.9.1.1'), { outgoing: undefined, gateway: undefined });
    assert.equal((await route('fd09::1')).gateway, 'fd02::1');
  });

  it('an interface that goes down, gets another MTU, appears and disappears is told', async () => {
    await line.receiver.sh('ip link set h0 down');
    const down = (await change('"isUp":false'))['interfaces'] as Record<string, unknown>[];
    assert.deepEqual([down[0]!['name'], down[0]!['isUp']], ['r1', false]);
    await line.receiver.sh('ip link set h0 up');
    await change('"isUp":true');
    await line.router.sh('ip link set r0 mtu 1280');
    await change('"mtu":1280');
    await line.router.sh('ip link add new0 type veth peer name unused');
    await change('"new0"');
    await line.router.sh('ip link del new0');
    const told = await change('"removed":[');
    assert.equal((told['removed'] as number[]).length, 1);
  });

  it('a burst of changes ends in what the kernel has', async () => {
    const many = Array.from(
      { length: 300 },
      (_, i) => `route add 10.100.${i % 256}.${i >> 8}/32 via 10.1.0.1`,
    );
    await line.router.sh(`ip -batch - <<'END'\n${many.join('\n')}\nEND`);
    await change('10.100.43.1');
    assert.equal((await route('10.100.43.1')).gateway, '10.1.0.1');
  });

  it('multicast routes of the kernel are read (RFC 2205 3.9)', async () => {
    const route = await line.router.multicastRoute('10.1.0.1', '239.1.1.1', 'r0', 'r1');
    assert.deepEqual((await change('239.1.1.1'))['routes'], ['239.1.1.1 from 10.1.0.1']);
    route.end();
    assert.deepEqual((await change('239.1.1.1'))['routes'], ['239.1.1.1 from 10.1.0.1']);
  });

  it('the monitor ends with us, even where we are killed, and lets go of the namespace', async () => {
    const other = new Talker(line.sender, DRIVER);
    try {
      await other.next('started');
      assert.equal(await monitors(), 1);
    } finally {
      other.kill();
    }
    for (let tries = 0; (await monitors()) > 0; tries++) assert.ok(tries < 100, 'it is still there');
  });

  /** How many of them there are in the sender's namespace. */
  async function monitors(): Promise<number> {
    const all = 'for p in $(pgrep -x ip); do readlink /proc/$p/ns/net; done';
    return Number(await line.sender.sh(`(${all}) | grep -cF "$(readlink /proc/self/ns/net)" || true`));
  }

  it('a monitor that ends is started again, and what changed meanwhile is told', async () => {
    await line.router.sh(
      'for p in $(pgrep -x ip); do [ "$(readlink /proc/$p/ns/net)" != "$(readlink /proc/self/ns/net)" ] || kill $p; done',
    );
    await network.next('trouble');
    await line.router.sh('ip route add 10.77.0.0/16 via 10.2.0.1');
    await change('10.77.0.0/16');
    await line.router.sh('ip route add 10.78.0.0/16 via 10.2.0.1');
    await change('10.78.0.0/16');
  });

  it('the process ends by itself once the network is closed', async () => {
    network.write('close');
    assert.equal(await network.end(), 0);
  });
});

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Line, type Namespace } from './namespace.js';
import type { NodeOrder } from './runner-driver.js';
import { Talker } from './talker.js';

const DRIVER = fileURLToPath(new URL('runner-driver.js', import.meta.url));

/** An RSVP node in a namespace. */
class Node extends Talker {
  static async start(namespace: Namespace, isHost: boolean): Promise<Node> {
    const node = new Node(namespace, DRIVER);
    node.order({ do: 'start', isHost });
    await node.next('started');
    return node;
  }

  order(order: NodeOrder): void {
    this.write(JSON.stringify(order));
  }
}

for (const { name, address, destination } of [
  { name: 'IPv4', address: '10.1.0.1', destination: '10.2.0.1' },
  { name: 'IPv6', address: 'fd01::1', destination: 'fd02::1' },
]) {
  describe(`engines over the kernel, ${name}: sender, router, receiver in network namespaces`, () => {
    let line: Line;
    let nodes: [sender: Node, router: Node, receiver: Node];
    let r1 = 0;

    before(async () => {
      line = await Line.make();
      r1 = await line.index('r1');
      nodes = await Promise.all([
        Node.start(line.sender, true),
        Node.start(line.router, false),
        Node.start(line.receiver, true),
      ]);
    });

    after(async () => {
      for (const node of nodes) node.kill();
      await line.remove();
    });

    it('a Path reaches the receiver through the router, which had it by Router Alert; a Resv comes back, and is in force there once policy has said so (RFC 2205 2)', async () => {
      const [sender, router, receiver] = nodes;
      receiver.order({ do: 'reserve', destination, address, rate: 10_000 });
      sender.order({ do: 'sender', destination, address, rate: 10_000 });
      await receiver.next('PATH_EVENT');
      await router.next('asked');
      const reserved = await router.next('reserve');
      assert.deepEqual([reserved['interface'], reserved['rate']], [r1, 10_000]);
      const { event } = await sender.next('RESV_EVENT');
      assert.equal((event as { upcall: { flow: { rate: number } } }).upcall.flow.rate, 10_000);
    });

    it('what traffic control cannot do is told to the engine, and the receiver learns it by a ResvErr (RFC 2205 3.11.2)', async () => {
      const [, router, receiver] = nodes;
      receiver.order({ do: 'reserve', destination, address, rate: 9_999 });
      assert.equal((await router.next('trouble'))['text'], 'the rate is odd');
      await receiver.next('RESV_ERROR');
    });

    it('a route that is gone is repaired: the router lets go of what it reserved there (RFC 2205 3.6)', async () => {
      const [sender, router, receiver] = nodes;
      receiver.order({ do: 'reserve', destination, address, rate: 8_000 });
      await router.next('reserve');
      await sender.next('RESV_EVENT');
      await line.router.sh('ip link set r1 down');
      await router.next('release');
      // An IPv6 address goes with its link.
      await line.router.sh('ip link set r1 up; ip -6 address replace fd02::2/64 dev r1 nodad');
    });

    it('a node that is closed tears what is its own, and its process ends by itself', async () => {
      const [sender, router, receiver] = nodes;
      sender.order({ do: 'close', tears: true });
      assert.equal(await sender.end(), 0);
      while (!JSON.stringify(await router.next('event')).includes('"tear"'));
      for (const node of [router, receiver]) {
        node.order({ do: 'close', tears: false });
        assert.equal(await node.end(), 0);
      }
    });
  });
}

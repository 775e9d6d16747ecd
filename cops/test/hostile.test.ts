import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { readJsonFixture } from '../../fixtures/index.js';
import { Context, Handle, OP, PepId, SignaledClientSi } from '../index.js';
import type { ContextDecision } from '../index.js';
import { PdpServer } from '../io/index.js';
import type { PdpServerOptions } from '../io/index.js';
import { hex, message, RawPeer, until } from './support.js';

const OPN = message(OP.OPN, 1, [PepId.make({ pepId: 'pep' })]);
const KA = message(OP.KA, 0);
const req = (handle: number, clientSi = new Uint8Array(0)): Uint8Array => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(handle);
  return message(OP.REQ, 1, [
    Handle.make({ handle: octets }),
    Context.make({ rType: 1, mType: 2 }),
    SignaledClientSi.make({ data: clientSi }),
  ]);
};

/**
 * What a PDP says to each message of malformed.json on a connection with client-type 1 open, and whether it closes;
 * then silence. The readings in the file were checked against RFC 2748: one differs (m-second-opn), see there.
 * DEC 3 is a Decision with "Bad message format" for the handle (RFC 2748 3.1), CC a Client-Close.
 */
const DEC = (error: string): string => `DEC+ 1 Handle 00000001, Error ${error}`;
const ANSWERS: Readonly<Record<string, string>> = {
  'm-cat-no-ka': 'CC 1 Error 7/0, closed',
  'm-cc-no-error': 'CC 1 Error 7/0, closed',
  'm-cnum-127': DEC('13/127.1'),
  'm-cnum-17': DEC('13/17.1'),
  'm-cnum-255': DEC('13/255.1'),
  'm-csi-ctype-3': DEC('13/9.3'),
  'm-csi-overrun': DEC('3/0'),
  'm-csi-overrun-8000': DEC('3/0'),
  'm-ctx-objlen-12': DEC('3/0'),
  'm-ctx-objlen-6': DEC('3/0'),
  'm-ctx-r0': DEC('3/0'),
  'm-ctx-r16': DEC('3/0'),
  'm-dec-cmd-3': 'CC 1 Error 3/0, closed',
  'm-dec-ctype-6': 'CC 1 Error 13/6.6, closed',
  'm-dec-to-pdp': 'CC 1 Error 3/0, closed',
  'm-drq-no-handle': 'CC 1 Error 7/0, closed',
  'm-dup-ctx': DEC('3/0'),
  'm-dup-handle': DEC('3/0'),
  'm-good-then-bad': 'DEC+ 1 Handle 00000001, Context 1/1, Decision 1/0, CC 1 Error 3/0, closed',
  'm-handle-ctype-6': 'CC 1 Error 13/1.6, closed',
  'm-in-ctype-3': DEC('13/3.3'),
  'm-in4-objlen-8': DEC('3/0'),
  'm-int-short': 'CC 0 Error 3/0, closed',
  'm-ka-ct-1': 'CC 1 Error 3/0, closed',
  'm-len-0': 'CC 1 Error 3/0, closed',
  'm-len-100m': 'CC 1 Error 3/0, closed',
  'm-len-22': 'CC 1 Error 3/0, closed',
  'm-len-4': 'CC 1 Error 3/0, closed',
  'm-len-7': 'CC 1 Error 3/0, closed',
  'm-len-8-req': 'CC 1 Error 7/0, closed',
  'm-len-9': 'CC 1 Error 3/0, closed',
  'm-len-ffffffff': 'CC 1 Error 3/0, closed',
  'm-len-neg': 'CC 1 Error 3/0, closed',
  'm-len-plus4': 'closed',
  'm-obj-overrun': DEC('3/0'),
  'm-objlen-0': DEC('3/0'),
  'm-objlen-2': DEC('3/0'),
  'm-objlen-3': DEC('3/0'),
  'm-op-11': 'CC 1 Error 3/0, closed',
  'm-op-127': 'CC 1 Error 3/0, closed',
  'm-op-128': 'CC 1 Error 3/0, closed',
  'm-op-255': 'CC 1 Error 3/0, closed',
  'm-order-ctx-first': DEC('3/0'),
  'm-order-dec-before-ctx': 'CC 1 Error 3/0, closed',
  'm-order-int-first': DEC('3/0'),
  'm-pad-last-missing': 'CC 1 Error 3/0, closed',
  'm-redir-port0': 'CC 1 Error 3/0, closed',
  'm-req-other-ct': 'CC 77 Error 6/0',
  'm-rpt-no-handle': 'CC 1 Error 7/0, closed',
  'm-rpt-no-type': DEC('7/0').replace('DEC+', 'DEC'),
  'm-rpt-objlen-0': DEC('3/0').replace('DEC+', 'DEC'),
  'm-rpt-type-9': DEC('3/0').replace('DEC+', 'DEC'),
  'm-rsn-0': DEC('3/0').replace('DEC+', 'DEC'),
  'm-rsn-99': '',
  // "Multiple Client-Open messages for the same client-type are allowed" (RFC 2748 3.6).
  'm-second-opn': 'CAT 1 KATimer 0',
  'm-short-header-0': '',
  'm-short-header-1': 'closed',
  'm-short-header-7': 'closed',
  'm-trail-3': 'CC 1 Error 3/0, closed',
  'm-trail-4': DEC('3/0'),
  'm-trunc-11': 'closed',
  'm-trunc-20': 'closed',
  'm-trunc-43': 'closed',
  'm-trunc-9': 'closed',
  'm-two-in-one': 'DEC+ 1 Handle 00000001, Context 1/1, Decision 1/0, KA 0',
  'm-ver-0': 'CC 1 Error 3/0, closed',
  'm-wrong-object-in-ka': 'CC 0 Error 3/0, closed',
};

describe('a PDP on the network', () => {
  const servers: PdpServer[] = [];
  const peers: { destroy(): void }[] = [];
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.destroy();
    for (const server of servers.splice(0)) await server.close();
  });

  async function serve(
    options: Partial<PdpServerOptions> = {},
  ): Promise<{ server: PdpServer; port: number }> {
    const server = new PdpServer({
      decide: () => ({ command: 'install' }),
      keepAlive: 0,
      failed: (error) => {
        throw error;
      },
      ...options,
    });
    servers.push(server);
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    return { server, port };
  }
  async function peerOf(port: number): Promise<RawPeer> {
    const peer = await RawPeer.to(port);
    peers.push(peer);
    return peer;
  }
  /** Does it still answer somebody else? */
  async function assertAlive(port: number): Promise<void> {
    const peer = await peerOf(port);
    peer.send(Buffer.concat([OPN, req(9)]));
    await peer.next();
    assert.equal(await peer.brief(), 'DEC+ 1 Handle 00000009, Context 1/2, Decision 1/0');
    peer.destroy();
  }

  it('answers each malformed message as RFC 2748 asks, and lives on', async () => {
    const { server, port } = await serve({ limits: { messageTimeout: 60 } });
    const malformed = readJsonFixture('vectors/cops/malformed.json') as { id: string; hex: string }[];
    assert.deepEqual(malformed.map(({ id }) => id).sort(), Object.keys(ANSWERS).sort());
    await Promise.all(
      malformed.map(async ({ id, hex: octets }) => {
        const peer = await peerOf(port);
        peer.send(OPN);
        await peer.next();
        peer.send(hex(octets));
        const expected = ANSWERS[id] ?? assert.fail();
        // A KA behind it tells silence from slowness, where the stream can still be read.
        if (!expected.endsWith('closed')) peer.send(KA);
        const said: string[] = [];
        for (;;) {
          const next = await peer.brief();
          said.push(next);
          if (
            next === 'closed' ||
            (next === 'KA 0' &&
              said.filter((each) => each === 'KA 0').length === (id === 'm-two-in-one' ? 2 : 1))
          )
            break;
        }
        if (said.at(-1) === 'KA 0') said.pop();
        assert.equal(said.join(', '), expected, id);
      }),
    );
    await assertAlive(port);
    for (const peer of peers.splice(0)) peer.destroy();
    await until(() => server.connectionCount === 0);
  });

  it('reads a peer that sends one octet at a time', async () => {
    const { port } = await serve();
    const peer = await peerOf(port);
    const stream = Buffer.concat([OPN, req(1), KA]);
    for (const octet of stream) {
      peer.send(Uint8Array.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await peer.brief(), 'CAT 1 KATimer 0');
    assert.equal(await peer.brief(), 'DEC+ 1 Handle 00000001, Context 1/2, Decision 1/0');
    assert.equal(await peer.brief(), 'KA 0');
  });

  it('closes on a length of 0 and of 0x80000000, as first message and later', async () => {
    const { port } = await serve();
    for (const length of ['00000000', '80000000', 'ffffffff', '00020004']) {
      for (const before of [[], [OPN]]) {
        const peer = await peerOf(port);
        peer.send(Buffer.concat([...before, hex(`10010001${length}0008010100000001`)]));
        if (before.length > 0) await peer.next();
        assert.equal(await peer.brief(), 'CC 1 Error 3/0');
        await peer.closed;
      }
    }
    await assertAlive(port);
  });

  it('drops half-open peers: silent ones, and those that stop in the middle', async () => {
    const { server, port } = await serve({ limits: { openTimeout: 80, messageTimeout: 80 } });
    const silent = await peerOf(port);
    const stuck = await peerOf(port);
    stuck.send(Buffer.concat([OPN, req(1).subarray(0, 10)]));
    await Promise.all([silent.closed, stuck.closed]);
    await until(() => server.connectionCount === 0);
  });

  it('serves 2,000 connections at once', async function () {
    this.timeout(30_000);
    const { server, port } = await serve();
    const count = 2000;
    const before = process.memoryUsage().rss;
    let answered = 0;
    const sockets: Socket[] = [];
    for (let i = 0; i < count; i++) {
      const socket = connect({ port, host: '127.0.0.1' });
      peers.push(socket);
      sockets.push(socket);
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
        // The Client-Accept has 16 octets, the Decision 32.
        if (received === 48) answered++;
      });
      socket.on('error', (error) => assert.fail(error));
      socket.write(Buffer.concat([OPN, req(i)]));
      if (i % 200 === 199) await until(() => answered > i - 200);
    }
    await until(() => answered === count, 20_000);
    assert.equal(server.connectionCount, count);
    assert.equal(server.pdp.find('pep', '000007cf').length, 1);
    // Both ends of each connection are in this process.
    const perConnection = (process.memoryUsage().rss - before) / count;
    assert.ok(perConnection < 100_000, `${perConnection} octets a connection`);
    for (const socket of sockets) socket.destroy();
    await until(() => server.connectionCount === 0, 20_000);
    await assertAlive(port);
  });

  it('takes no more connections than it is allowed', async () => {
    const { server, port } = await serve({ limits: { connections: 3 } });
    const all = await Promise.all(Array.from({ length: 5 }, () => peerOf(port)));
    await until(() => server.connectionCount === 3);
    await Promise.race(all.map((peer) => peer.closed));
    assert.equal(server.connectionCount, 3);
  });

  it('cuts off a peer that never reads, with bounded memory', async function () {
    this.timeout(20_000);
    const large: ContextDecision = { command: 'install', clientSpecific: new Uint8Array(60_000) };
    const refused: string[] = [];
    let decided = 0;
    const { server, port } = await serve({
      decide: () => {
        decided++;
        return large;
      },
      limits: { stallTimeout: 200 },
      refused: (_, problem) => refused.push(problem),
    });
    const peer = await peerOf(port);
    peer.socket.pause();
    const requests = Buffer.concat([OPN, ...Array.from({ length: 2000 }, (_, i) => req(i))]);
    peer.send(requests);
    await until(() => server.connectionCount === 0, 10_000);
    // 2,000 decisions of 60 kB would be 120 MB. What both kernel buffers take, and the limit above that, is decided upon.
    assert.ok(decided < 1000, `${decided} decisions`);
    assert.deepEqual(refused.length, 1);
    await assertAliveWith(port);
  });

  async function assertAliveWith(port: number): Promise<void> {
    const peer = await peerOf(port);
    peer.send(Buffer.concat([OPN, KA]));
    await peer.next();
    assert.equal(await peer.brief(), 'KA 0');
  }

  it('cuts off a peer that never reads while it is sent unsolicited decisions', async () => {
    const { server, port } = await serve({ limits: { unsentOctets: 1_000_000 } });
    const peer = await peerOf(port);
    peer.socket.pause();
    peer.send(Buffer.concat([OPN, req(1)]));
    await until(() => server.pdp.find('pep', '00000001').length === 1);
    const large: ContextDecision = { command: 'install', clientSpecific: new Uint8Array(60_000) };
    let sent = 0;
    while (server.connectionCount > 0 && sent < 2000) {
      server.revise('pep', '00000001', large);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(server.connectionCount, 0);
    assert.ok(sent < 500, `${sent} decisions of 60 kB`);
  });

  it('survives noise', async () => {
    const { server, port } = await serve();
    let seed = 1;
    const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
    const good = Buffer.concat([OPN, req(1), KA, req(2, new Uint8Array(40))]);
    for (let i = 0; i < 60; i++) {
      const peer = await peerOf(port);
      const noisy = Buffer.from(good);
      for (let n = 0; n < 4; n++) noisy[Math.floor(random() * noisy.length)] = Math.floor(random() * 256);
      peer.send(
        i % 3 === 0 ? Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))) : noisy,
      );
      peer.socket.end();
      await peer.closed;
    }
    await until(() => server.connectionCount === 0);
    await assertAlive(port);
  });
});

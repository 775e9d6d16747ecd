import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { KeyRing } from '../index.js';
import type { CopsKey, EndOfRequest, PdpTarget } from '../index.js';
import { PdpServer, PepClient, RequestError } from '../io/index.js';
import type { PepClientOptions, PdpServerOptions } from '../io/index.js';
import { until } from './support.js';

const HOST = '127.0.0.1';
const ASK = { rType: 1, mType: 2 };
/** Fail-over that people wait for, made short; what is waited for elsewhere is an event. */
const QUICK = { limits: { retryLeast: 20, retryMost: 40 } };

describe('RFC 2748 flows over loopback TCP', () => {
  const cleanUp: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });

  async function pdp(
    options: Partial<PdpServerOptions> & { port?: number } = {},
  ): Promise<{ server: PdpServer; port: number }> {
    const server = new PdpServer({ decide: () => ({ command: 'install' }), ...options });
    cleanUp.push(() => server.close());
    const { port } = await server.listen({ host: HOST, port: options.port ?? 0 });
    return { server, port };
  }
  function pep(pdps: readonly (number | PdpTarget)[], options: Partial<PepClientOptions> = {}): PepClient {
    const targets = pdps.map((each) => (typeof each === 'number' ? { host: HOST, port: each } : each));
    const client = new PepClient({ pepId: 'pep-1', ...QUICK, ...options, pdps: targets });
    cleanUp.push(() => client.close());
    return client;
  }
  /** A port on which nobody listens for now. */
  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  it('fails over to a second PDP, synchronizes there, and is sent back when the first is up again', async () => {
    const primaryPort = await freePort();
    const seen: string[] = [];
    const judge = (name: string): Partial<PdpServerOptions> => ({
      decide: (request) => {
        const local = request.lpdpDecisions[0]?.command ?? 'none';
        seen.push(`${name} ${request.handle} ${local}`);
        return { command: 'install' };
      },
      synchronized: () => seen.push(`${name} synchronized`),
    });
    const primary = await pdp({ ...judge('primary'), port: primaryPort });
    const backup = await pdp(judge('backup'));
    const client = pep([primaryPort, backup.port]);
    await client.request({ ...ASK, handle: '01' });
    await client.request({ ...ASK, handle: '02' });

    await primary.server.close();
    await until(() => seen.includes('backup synchronized'));
    const again = await client.request({ ...ASK, handle: '03' });
    assert.equal(again.source, 'pdp');

    const back = await pdp({ ...judge('back'), port: primaryPort });
    backup.server.redirect({ address: HOST, port: primaryPort });
    await until(() => seen.includes('back synchronized'));
    assert.deepEqual(seen, [
      'primary 01 none',
      'primary 02 none',
      'backup 01 install',
      'backup 02 install',
      'backup synchronized',
      'backup 03 none',
      'back 01 install',
      'back 02 install',
      'back 03 install',
      'back synchronized',
    ]);
    assert.equal(back.server.connectionCount, 1);
  });

  it('synchronizes after a reconnect to the same PDP, which has kept the state and drops what is gone', async () => {
    const ends: [string, EndOfRequest['kind']][] = [];
    const synchronized: string[] = [];
    const port = await freePort();
    const { server } = await pdp({
      port,
      ended: (request, end) => ends.push([request.handle, end.kind]),
      synchronized: (session) => synchronized.push(session.pepId),
    });
    const client = pep([port]);
    await client.request({ ...ASK, handle: '01' });
    await client.request({ ...ASK, handle: '02' });
    // The cable is cut: neither side hears of the other. The PEP deletes one request before it is back.
    const lost = once(client, 'lost');
    cut(server);
    await lost;
    client.delete('02');
    await until(() => synchronized.length === 1);
    assert.deepEqual(ends, [['02', 'deleted']]);
    assert.deepEqual(
      server.pdp.find('pep-1', '01').map((request) => request.isUpdate),
      [true],
    );
    assert.deepEqual(server.pdp.find('pep-1', '02'), []);
  });

  it('decides anew without being asked, and the PEP obeys (RFC 2748 4.4)', async () => {
    const { server, port } = await pdp();
    const client = pep([port]);
    const { handle } = await client.request(ASK);
    const event = once(client, 'decision');
    assert.equal(server.revise('pep-1', handle, { command: 'remove', flags: 1 }), 1);
    const [decision] = (await event) as [{ solicited: boolean; decisions: unknown }];
    assert.equal(decision.solicited, false);
    assert.deepEqual(client.pep.decisionsOf(handle), [
      { command: 'remove', context: { rType: 1, mType: 2 }, flags: 1 },
    ]);
  });

  it('notices a PDP that has fallen silent, and goes to the next (RFC 2748 3.9)', async () => {
    // Accepts the client-type with a KA Timer of one second, and never says anything again.
    const mute: Server = createServer((socket) => {
      socket.once('data', () => socket.write(Buffer.from('100700010000001000080a0100000001', 'hex')));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => mute.listen(0, HOST, resolve));
    cleanUp.push(() => void mute.close());
    const { port } = await pdp();
    const client = pep([(mute.address() as AddressInfo).port, port], { limits: { retryLeast: 60_000 } });
    const [first] = (await once(client, 'opened')) as [{ keepAlive: number }];
    assert.equal(first.keepAlive, 1);
    const start = Date.now();
    const [lost] = (await once(client, 'lost')) as [{ reason: string }];
    assert.match(lost.reason, /keep-alive/);
    assert.ok(Date.now() - start >= 900);
    await client.opened();
    assert.equal((await client.request(ASK)).source, 'pdp');
  });

  it('keeps a connection alive for as long as both sides are there', async () => {
    const lost: string[] = [];
    const { port } = await pdp({ keepAlive: 1, lost: (_, reason) => lost.push(reason) });
    const client = pep([port]);
    await client.opened();
    client.on('lost', (event) => lost.push(event.reason));
    await new Promise((resolve) => setTimeout(resolve, 1800));
    assert.deepEqual(lost, []);
  });

  it('decides locally while there is no PDP, and tells the first one it finds (RFC 2748 2.5)', async () => {
    const port = await freePort();
    const client = pep([port], { lpdp: () => [{ command: 'remove' }] });
    const local = await client.request({ ...ASK, handle: '01' });
    assert.deepEqual([local.source, local.decisions], ['lpdp', [{ command: 'remove' }]]);
    const told = once(client, 'decision');
    const seen: unknown[] = [];
    await pdp({ port, decide: (request) => (seen.push(request.lpdpDecisions), { command: 'install' }) });
    await told;
    assert.deepEqual(seen, [[{ command: 'remove', context: { rType: 1, mType: 2 } }]]);
    assert.equal(client.pep.decisionsOf('01')?.[0]?.command, 'install');
  });

  it('says good-bye: Shutting down from the PDP, and the end of its requests from the PEP', async () => {
    const closed: unknown[] = [];
    const { server, port } = await pdp({
      closed: (session, error, by) => closed.push([session.pepId, error.errorCode, by]),
    });
    const one = pep([port], { pepId: 'one' });
    const two = pep([port], { pepId: 'two' });
    await Promise.all([one.request(ASK), two.request(ASK)]);
    await one.close();
    await until(() => closed.length === 1);
    const lost = once(two, 'lost');
    await server.close();
    const [event] = (await lost) as [{ reason: string }];
    assert.match(event.reason, /error 11/);
    assert.deepEqual(closed, [
      ['one', 11, 'pep'],
      ['two', 11, 'pdp'],
    ]);
  });

  it('rejects what is pending when the PEP is closed', async () => {
    const { port } = await pdp({ decide: () => new Promise(() => undefined) });
    const client = pep([port]);
    await client.opened();
    const rejected = assert.rejects(client.request(ASK), RequestError);
    await client.close();
    await rejected;
  });

  describe('with INTEGRITY (RFC 2748 4.1, 4.2)', () => {
    it('signs from the first Client-Open to a change of keys and beyond', async () => {
      let now = 0;
      const keys: CopsKey[] = [
        { id: 1, secret: Buffer.from('the first key'), notBefore: 0, notAfter: 1000 },
        { id: 2, secret: Buffer.from('the second key'), notBefore: 500 },
      ];
      const clock = (): number => now;
      const { port } = await pdp({
        now: clock,
        keepAlive: 0,
        keys: () => new KeyRing(keys),
        integrityRequired: true,
      });
      const client = pep([{ host: HOST, port, keys: new KeyRing(keys) }], { now: clock });
      await client.opened();
      // Before, in and after the overlap [500, 1000); its middle is 750.
      for (const at of [400, 600, 749, 750, 999, 1000, 5000]) {
        now = at;
        assert.equal((await client.request({ ...ASK, fresh: true })).source, 'pdp');
      }
      assert.equal(client.pep.phase, 'open');
    });

    it('refuses wrong keys, on either side, and serves the others', async () => {
      const right = new KeyRing([{ id: 1, secret: Buffer.from('right') }]);
      const refused: string[] = [];
      const { port } = await pdp({
        keys: (pepId) => (pepId === 'stranger' ? undefined : right),
        integrityRequired: true,
        refused: (_, problem) => refused.push(problem),
      });
      const wrong = new KeyRing([{ id: 1, secret: Buffer.from('wrong') }]);
      const target = { host: HOST, port };
      const attempts: readonly (readonly [PepClient, RegExp])[] = [
        [pep([{ ...target, keys: wrong }]), /error 14/],
        [pep([{ ...target, keys: right }], { pepId: 'stranger' }), /error 14/],
        [pep([target]), /error 15/],
      ];
      for (const [client, reason] of attempts) {
        const [lost] = (await once(client, 'lost')) as [{ reason: string }];
        assert.match(lost.reason, reason);
      }
      assert.ok(refused.length >= 3);
      const good = pep([{ ...target, keys: right }]);
      assert.equal((await good.request(ASK)).source, 'pdp');
    });

    it('leaves a PDP that does not know the keys for one that does', async () => {
      const ring = new KeyRing([{ id: 1, secret: Buffer.from('right') }]);
      const impostor = await pdp({ keys: () => new KeyRing([{ id: 1, secret: Buffer.from('guess') }]) });
      const real = await pdp({ keys: () => ring });
      const client = pep([impostor.port, real.port].map((port) => ({ host: HOST, port, keys: ring })));
      await client.request(ASK);
      assert.equal(client.pep.target.port, real.port);
      assert.equal(real.server.pdp.find('pep-1', '00000001').length, 1);
    });
  });
});

/** Ends every connection of a server at once, as a failing network does. */
function cut(server: PdpServer): void {
  for (const connection of server.pdp.connections) {
    server.perform([{ kind: 'drop', connection, reason: 'cut' }]);
  }
}

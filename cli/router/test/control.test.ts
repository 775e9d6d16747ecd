import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bandex } from '../../test/run.js';
import { runBandex } from '../../test/serving.js';
import { ControlClient } from '../control/client.js';
import { matchesAll } from '../control/match.js';
import { ControlServer } from '../control/server.js';
import type { ControlOptions } from '../control/server.js';
import type { InterfaceView, ReservationView, SenderView } from '../control/views.js';

const SESSION = '10.0.2.9/udp/5004';

const SENDER: SenderView = {
  session: SESSION,
  sender: '10.0.1.9:4000',
  previousHop: '10.0.1.1',
  incoming: 'eth0',
  outgoing: ['eth1'],
  rate: 125_000,
  bucket: 12_500,
  hasNonRsvpHop: false,
  hasPolicyData: false,
  refreshedAgo: 12_000,
  expiresIn: 145_500,
};

const RESERVATION: ReservationView = {
  session: SESSION,
  style: 'FF',
  senders: ['10.0.1.9:4000'],
  nextHop: '10.0.2.1',
  outgoing: 'eth1',
  service: 'controlled-load',
  rate: 125_000,
  bucket: 12_500,
  state: 'in force',
  refreshedAgo: 3000,
  expiresIn: 154_500,
};

const INTERFACE: InterfaceView = {
  interface: 'eth1',
  index: 3,
  addresses: ['10.0.2.2'],
  isUp: true,
  mtu: 1500,
  bandwidth: 1_250_000,
  reservable: 1_000_000,
  reserved: 875_000,
  reservations: 7,
  refreshReduction: true,
  integrity: false,
  received: 17,
  sent: 18,
};

describe('a control socket', () => {
  let folder = '';
  let path = '';
  let server: ControlServer | undefined;
  let senders: SenderView[] = [SENDER];
  let reservations: ReservationView[] = [RESERVATION];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-control-'));
    path = join(folder, 'router.sock');
    [senders, reservations] = [[SENDER], [RESERVATION]];
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });

  async function serve(more: Partial<ControlOptions> = {}): Promise<ControlServer> {
    server = new ControlServer({
      path,
      clients: 4,
      sources: {
        senders: () => senders,
        reservations: () => reservations,
        interfaces: () => [INTERFACE],
        counters: () => {
          throw new Error('broken');
        },
      },
      failed: () => undefined,
      ...more,
    });
    await server.listen();
    return server;
  }

  /** Sends lines, and gives back the first so many that come. */
  async function talk(text: string, count: number): Promise<unknown[]> {
    const socket = connect(path);
    socket.write(text);
    let got = '';
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
      got += chunk;
      if (got.split('\n').length > count) break;
    }
    return got
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }

  it('is for owner and group alone', async () => {
    await serve();
    assert.equal(statSync(path).mode & 0o777, 0o660);
  });

  it('answers with a row a line, and counts them', async () => {
    await serve();
    assert.deepEqual(await talk('{"id":7,"ask":"senders"}\n', 2), [
      { id: 7, row: SENDER },
      { id: 7, end: 1 },
    ]);
    assert.deepEqual(await talk('{"id":"x","ask":"senders","match":["session=10.9.*"]}\n', 1), [
      { id: 'x', end: 0 },
    ]);
  });

  it('says what is wrong with a question, and goes on', async () => {
    await serve();
    const got = await talk(
      'nonsense\n[]\n{"id":1,"ask":"__proto__"}\n{"id":2,"ask":"senders","match":"x"}\n{"id":3,"ask":"counters"}\n{"id":4,"ask":"interfaces"}\n',
      7,
    );
    assert.deepEqual(
      got.map((one) => {
        const { id, error, end } = one as { id?: number; error?: string; end?: number };
        return [id, error?.slice(0, 24) ?? end];
      }),
      [
        [undefined, 'expected a line of JSON,'],
        // An array is an object without `ask`.
        [undefined, '`ask` is none of senders'],
        [1, '`ask` is none of senders'],
        [undefined, 'expected `match` as a li'],
        [3, 'the router could not say'],
        [4, undefined],
        [4, 1],
      ],
    );
  });

  it('cuts off a line without an end', async () => {
    await serve();
    const [answer] = await talk('x'.repeat(200_000), 1);
    assert.match((answer as { error: string }).error, /longer than 65536/);
  });

  it('takes the place of a socket that nobody listens at, and of nothing else', async () => {
    const dead = createServer().listen(path);
    await new Promise((resolve) => dead.once('listening', resolve));
    // As after a crash: the file stays.
    const stale = join(folder, 'stale.sock');
    const crashed = await runNode(
      `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`,
    );
    assert.equal(crashed, 'SIGKILL');
    assert.ok(existsSync(stale));
    const live = new ControlServer({ path: stale, clients: 1, sources: {}, failed: () => undefined });
    await live.listen();
    await live.close();

    await assert.rejects(serve(), /another router listens there/);
    await new Promise<void>((resolve) => dead.close(() => resolve()));
    writeFileSync(path, 'mine');
    await assert.rejects(serve(), /EADDRINUSE/);
    server = undefined;
  });

  it('tells events to whoever asked for them, as they match', async () => {
    const { publish, watched } = bound(await serve());
    assert.equal(watched(), false);
    const client = await ControlClient.connect(path);
    const events = client.ask<{ kind: string }>('events', ['kind=resv*']);
    const first = events.next();
    while (!watched()) await sleep(1);
    publish({ at: 0, kind: 'path', text: '' });
    publish({ at: 1, kind: 'resv-err', text: 'no room' });
    assert.deepEqual((await first).value, { at: 1, kind: 'resv-err', text: 'no room' });
    client.close();
    while (watched()) await sleep(1);
  });

  it('ends the subscription of a reader that is too slow, and holds no more for it', async () => {
    const { publish, watched } = bound(await serve({ unsent: 10_000 }));
    const socket = connect(path);
    socket.write('{"id":1,"ask":"events"}\n');
    while (!watched()) await sleep(1);
    socket.pause();
    const text = 'x'.repeat(1000);
    let published = 0;
    while (watched()) {
      publish({ at: 0, kind: 'path', text });
      // The kernel's buffers fill as well.
      if (++published % 100 === 0) await sleep(0);
      assert.ok(published < 10_000, 'nobody stops it');
    }
    let got = '';
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
      got += chunk;
      if (got.includes('"error"')) break;
    }
    assert.match(got, /too slow: \d+ octets are not read; subscription ended/);
    assert.equal(
      got.trim().split('\n').length,
      published,
      'what was sent before arrives, and then the error',
    );
  });

  it('cuts off a reader that takes nothing of its answer', async () => {
    senders = Array.from({ length: 20_000 }, () => SENDER);
    await serve({ patience: 50 });
    const socket = connect(path);
    socket.write('{"id":1,"ask":"senders"}\n');
    socket.pause();
    await sleep(300);
    let got = '';
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) got += chunk;
    assert.ok(!got.includes('"end"'));
  });

  it('answers `bandex show` with tables and JSON', async () => {
    await serve();
    const args = ['--socket', path];
    const table = await runBandex(['show', 'reservations', ...args]);
    assert.equal(table.code, 0, table.err);
    assert.deepEqual(
      table.lines.map((line) => line.split(/ {2,}/)),
      [
        [
          'session',
          'style',
          'senders',
          'next hop',
          'out',
          'service',
          'rate',
          'state',
          'refreshed',
          'expires',
        ],
        [
          SESSION,
          'FF',
          '10.0.1.9:4000',
          '10.0.2.1',
          'eth1',
          'controlled-load',
          '1 Mbit/s',
          'in force',
          '3 s ago',
          'in 3 min',
        ],
      ],
    );
    const json = await runBandex(['show', 'senders', SESSION, '--json', ...args]);
    assert.deepEqual(JSON.parse(json.out), SENDER);
    const none = await runBandex(['show', 'senders', '--match', 'eth7', '--json', ...args]);
    assert.deepEqual([none.code, none.out], [0, '']);
    const room = await runBandex(['show', 'interfaces', ...args]);
    assert.match(
      room.out,
      /eth1 +up +8 Mbit\/s +7 Mbit\/s +1 Mbit\/s +7 +1500 +yes +no +17 +18 +10\.0\.2\.2/,
    );
  });

  it('lets `bandex show path` say which way to look', async () => {
    await serve();
    const path_ = async (): Promise<string[]> => {
      const { out } = await runBandex(['show', 'path', SESSION, '--socket', path]);
      return out.trimEnd().split('\n');
    };
    const arrived =
      '  Path of 10.0.1.9:4000 (1 Mbit/s) from 10.0.1.1 by eth0, last 12 s ago, is forgotten in 2 min without another; goes on by eth1';
    assert.deepEqual(await path_(), [
      SESSION,
      arrived,
      '  eth1: reserved: FF 1 Mbit/s controlled-load of 10.0.2.1, last 3 s ago',
    ]);
    reservations = [];
    assert.deepEqual(await path_(), [
      SESSION,
      arrived,
      '  eth1: no Resv has come back; look downstream there, or the receiver has not asked',
    ]);
    reservations = [
      { ...RESERVATION, rate: 250_000, state: 'refused', reason: 'Requested bandwidth unavailable' },
    ];
    assert.equal(
      (await path_())[2],
      '  eth1: refused: FF 2 Mbit/s controlled-load of 10.0.2.1, last 3 s ago (Requested bandwidth unavailable); 1 Mbit/s of 8 Mbit/s are free there now',
    );
    senders = [];
    reservations = [];
    assert.deepEqual(await path_(), [
      SESSION,
      '  no Path: none has arrived here, or none was refreshed in time; look upstream, towards the sender',
    ]);
  });

  it('streams to `bandex debug` for as long as it is told', async () => {
    const { publish, watched } = bound(await serve());
    const running = runBandex(['debug', '--match', `session=${SESSION}`, '--for', '700ms', '--socket', path]);
    while (!watched()) await sleep(5);
    publish({
      at: Date.UTC(2026, 0, 1, 12),
      kind: 'resv-err',
      session: SESSION,
      text: 'from\u001b[2J10.0.2.1',
    });
    publish({ at: 0, kind: 'path', session: 'other', text: '' });
    const { code, out, err } = await running;
    assert.deepEqual([code, err], [0, '']);
    assert.equal(out, `12:00:00.000 resv-err          ${SESSION}  from [2J10.0.2.1\n`);
  });

  it('says where no router listens', () => {
    const { code, err } = bandex(['show', 'sessions', '--socket', join(folder, 'none.sock')]);
    assert.equal(code, 1);
    assert.match(err, /^bandex: no router listens at .*none\.sock: is `bandex router` running/);
  });
});

describe('what `--match` says', () => {
  it('is a field with a pattern, or a text that stands somewhere', () => {
    const row = {
      session: '10.0.0.1/udp/5004',
      outgoing: ['eth1', 'eth2'],
      rate: 1000,
      hop: { address: '::1' },
    };
    for (const [wanted, expected] of [
      ['session=10.*', true],
      ['session=10', false],
      ['outgoing=eth2', true],
      ['rate=1000', true],
      ['udp', true],
      ['::1', true],
      ['nothing=x', false],
    ] as const)
      assert.equal(matchesAll(row, [wanted]), expected, wanted);
    assert.equal(matchesAll(row, ['udp', 'outgoing=eth3']), false);
  });
});

function bound(server: ControlServer): { publish: (event: object) => void; watched: () => boolean } {
  return { publish: (event) => server.publish(event), watched: () => server.isWatched };
}

/** What ended a script in a process of its own. */
async function runNode(script: string): Promise<string | null> {
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['-e', script]);
  return new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
}

import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fixturePath } from '../../../fixtures/index.js';
import type { DepositAnswer, DepositRequest, DepositSource } from '../../../policy/clearing/index.js';
import { ClearingClient, depositAll } from '../../../policy/clearing/io/index.js';
import { KEYS, payment, POLICY, requestOf } from '../../../policy/clearing/test/centre.js';
import { CliError, EXIT } from '../../exit.js';

import { loadClearConfig } from '../load.js';
import { settingsOf } from '../settings.js';
import { clear } from './in-process.js';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const AT = '2007-11-20T20:00:00Z';

const CONFIG = `listen: { port: 0 }
policy: { files: [clearing.kn] }
accounts:
  - { name: martha, kind: provider, keys: [martha.pub], limit: { USD: '100.00' } }
  - { name: nick, kind: isp, keys: [nick.pub] }
operators: [route.pub]
`;

describe('bandex clear', function () {
  this.timeout(30_000);
  let folder: string;
  let config: string;
  const servers: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-clear-'));
    for (const name of ['martha', 'alice', 'nick', 'route'])
      for (const kind of ['key', 'pub'])
        copyFileSync(fixturePath(`story/keys/${name}.${kind}`), join(folder, `${name}.${kind}`));
    writeFileSync(join(folder, 'clearing.kn'), POLICY);
    config = write('clear.yaml', CONFIG);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await stop(server, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  function write(name: string, content: string): string {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  }
  const file = (name: string): string => join(folder, name);

  /** A server in a process of its own; where it listens. */
  async function serve(of = config): Promise<{ url: string; server: ChildProcess }> {
    const server = spawn(process.execPath, [MAIN, 'clear', 'serve', '--config', of, '--at', AT, '--json']);
    servers.push(server);
    let [out, err] = ['', ''];
    server.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    for await (const text of server.stdout.setEncoding('utf8') as AsyncIterable<string>) {
      out += text;
      if (out.includes('\n')) break;
    }
    assert.ok(out !== '', err);
    return { url: (JSON.parse(out) as { url: string }).url, server };
  }

  function deposits(...nonces: string[]): string {
    const paid = nonces.map((nonce) => payment({ nonce }));
    return write('deposits.json', JSON.stringify(requestOf(...paid)));
  }

  it('checks a configuration, and says the line and column of each mistake', async () => {
    const good = await clear('serve', '--config', config, '--check');
    assert.deepEqual([good.out, good.code], [`${config}: ok\n`, 0], good.err);
    const bad: [string, RegExp][] = [
      [`${CONFIG}operater: []\n`, /:7:1: unknown key `operater`; did you mean `operators`\?/],
      [
        CONFIG.replace('kind: isp', 'kind: ips'),
        /:5:25: `accounts\[1\]\.kind`: expected `isp`, .*did you mean `isp`\?/,
      ],
      [CONFIG.replace('name: nick', 'name: "a:b"'), /:5:13: `accounts\[1\]\.name`: expected letters/],
      [CONFIG.replace("'100.00'", "'100.001'"), /:4:71: `accounts\[0\]\.limit\.USD`: USD has 2 decimals/],
      [CONFIG.replace('USD:', 'EUR:'), /`accounts\[0\]\.limit\.EUR`: EUR is not in `currencies`/],
      [CONFIG.replace('nick.pub', 'martha.pub'), /the key ed25519:\w{16} is of both `martha` and `nick`/],
      [
        CONFIG.replace('nick.pub', 'nobody.pub'),
        /:5:37: `accounts\[1\]\.keys\[0\]`: cannot read `nobody.pub`/,
      ],
      [CONFIG.replace('port: 0', 'port: 0, address: 0.0.0.0'), /anything but a loopback address needs `tls`/],
      [`${CONFIG}maxAge: 3 weeks\n`, /:7:9: `maxAge`: expected a duration/],
      [`${CONFIG}currencies: { USD: 9 }\n`, /expected how many decimals it has, 0 to 6/],
    ];
    for (const [source, message] of bad)
      assert.throws(() => settingsOf(loadClearConfig(write('bad.yaml', source))), refused(message));
    writeFileSync(file('clearing.kn'), 'Authorizer: "POLICY"\nLicensees: &&\n');
    const wrong = await clear('serve', '--config', config, '--check');
    assert.equal(wrong.code, 3);
    assert.match(wrong.err, /^bandex: .*clearing\.kn:2:12: /);
  });

  it('takes a payment from its deposit to its settlement', async () => {
    const { url, server } = await serve();
    const nick = ['--url', url, '--key', file('nick.key')];
    const first = await clear('deposit', '--file', deposits('a', 'b'), ...nick);
    assert.deepEqual([first.out, first.code], ['2 accepted\n', 0], first.err);
    const again = await clear('deposit', '--file', file('deposits.json'), ...nick, '--json');
    const answers = again.lines.map((line) => JSON.parse(line) as DepositAnswer);
    assert.deepEqual(
      answers.map(({ answer, receipt }) => [answer, receipt?.entries]),
      [
        ['duplicate', [1, 2]],
        ['duplicate', [3, 4]],
      ],
    );
    const second = payment({ nonce: 'a', deposit: { id: 'second', reservation: 'another' } });
    const twice = await clear(
      'deposit',
      '--file',
      write('twice.json', JSON.stringify(requestOf(second))),
      ...nick,
    );
    assert.equal(twice.code, 2);
    assert.match(
      twice.out,
      /^double-spent second: the nonce `a` has paid nick for 192\.0\.2\.7.*\n1 double-spent\n$/,
    );

    const stranger = await clear(
      'deposit',
      '--file',
      file('deposits.json'),
      '--url',
      url,
      '--key',
      file('alice.key'),
    );
    assert.equal(stranger.code, 2);
    assert.match(stranger.err, /403 ed25519:\w{16} has no account here/);

    const own = await clear('statement', '--url', url, '--key', file('alice.key'), '--json');
    assert.equal((JSON.parse(own.out) as { closing: string }).closing, '-0.88', own.err);

    const settled = await clear('settle', '--config', config, '--at', AT);
    assert.match(
      settled.out,
      /^batch +provider +owes +amount.*\n +1 +martha +nick +0\.88 +USD +2 +2007-11-20T20:00:0\d\.\d{3}Z$/m,
    );
    assert.match((await clear('settle', '--config', config, '--paid', '1', '--json')).out, /"paidAt":"2/);

    const csv = (await clear('statement', 'nick', '--config', config, '--csv')).out.split('\r\n');
    assert.deepEqual(csv.slice(0, 2), [
      'entry,at,kind,counterparty,reference,reservation,nonce,amount,balance',
      ',,opening,,,,,,0.00',
    ]);
    assert.match(csv[4] ?? '', /^7,20[^,]*Z,payment,martha,1,,,-0\.88,0\.00$/);
    assert.match(
      (await clear('statement', 'nick', '--config', config)).out,
      /^nick, USD\n[^]*closing +0\.00$/m,
    );
    assert.match(
      (await clear('accounts', '--config', config)).out,
      /^martha +martha +provider +USD +0\.00 +0\.00 +0\.00 +100\.00$/m,
    );
    const audit = await clear('audit', '--config', config, '--verify');
    assert.deepEqual(
      [audit.code, audit.out.slice(0, 46)],
      [0, '8 entries and 2 deposits are as they must be; '],
      audit.err,
    );

    assert.equal(await stop(server, 'SIGTERM'), 0);
    const database = new Database(file('clearing.db'));
    database.exec('drop trigger csc_entries_update; update csc_entries set amount = 45 where seq = 2');
    database.close();
    const found = await clear('audit', '--config', config);
    assert.equal(found.code, 2);
    assert.match(found.out, /^sum: transaction D1 sums to 1 USD, not to 0$/m);
  });

  it('does not lose or pay twice where the server is killed again and again', async () => {
    const { port } = await free();
    const fixed = write('kill.yaml', CONFIG.replace('port: 0', `port: ${port}`).replace('100.00', '1000.00'));
    const paid = Array.from({ length: 150 }, (_, i) => payment({ nonce: `n${i}` }));
    const answers = new Map<string, DepositAnswer>();
    const source: DepositSource = {
      next: (limit): Promise<DepositRequest> =>
        Promise.resolve(requestOf(...paid.filter(({ deposit }) => !answers.has(deposit.id)).slice(0, limit))),
      record: (some) => {
        for (const answer of some) answers.set(answer.id, answer);
        return Promise.resolve();
      },
    };
    const client = new ClearingClient({ url: `http://127.0.0.1:${port}`, key: KEYS.nick });
    const depositing = depositAll(source, client, { batch: 3, wait: { first: 20, most: 100 } });
    for (const after of [40, 90]) {
      const { server } = await serve(fixed);
      const before = answers.size;
      while (answers.size === before) await sleep(2);
      await sleep(after);
      await stop(server, 'SIGKILL');
    }
    await serve(fixed);
    const counts = await depositing;
    client.close();
    assert.equal(counts.accepted + counts.duplicate, 150);
    const { entries, deposits, problems } = JSON.parse(
      (await clear('audit', '--config', fixed, '--json')).out,
    ) as {
      entries: number;
      deposits: number;
      problems: unknown[];
    };
    assert.deepEqual([entries, deposits, problems], [300, 150, []]);
    // Each has the receipt that its one entry in the ledger has, also where the first answer was lost.
    const numbers = [...answers.values()]
      .map(({ receipt }) => receipt?.deposit)
      .sort((a, b) => (a ?? 0) - (b ?? 0));
    assert.deepEqual(
      numbers,
      Array.from({ length: 150 }, (_, i) => i + 1),
    );
  });

  it('says what is missing', async () => {
    assert.match(
      (await clear('audit', '--config', config)).err,
      /clearing\.db: there is no such database yet/,
    );
    assert.equal((await clear('deposit', '--file', deposits('a'), '--url', 'http://127.0.0.1:1')).code, 64);
    const bad = await clear(
      'deposit',
      '--file',
      write('bad.json', '{"deposits": 1}'),
      '--url',
      'http://127.0.0.1:1',
      '--key',
      file('nick.key'),
    );
    assert.equal(bad.code, 3);
    assert.match(bad.err, /bad\.json: assertions: /);
    assert.match((await clear('--help')).out, /Examples:/);
  });
});

function refused(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof CliError, String(error));
    assert.equal(error.exitCode, EXIT.invalid);
    assert.match(error.message, message);
    return true;
  };
}

async function stop(server: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (server.exitCode !== null || server.signalCode !== null) return server.exitCode;
  const gone = new Promise<number | null>((resolve) => server.once('exit', resolve));
  server.kill(signal);
  return gone;
}

async function free(): Promise<AddressInfo> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return at;
}

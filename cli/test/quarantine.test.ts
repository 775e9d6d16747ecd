import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { R_TYPE } from '../../cops/index.js';
import { PepClient } from '../../cops/io/index.js';
import { fixturePath, readFixture } from '../../fixtures/index.js';
import {
  PAYMENT_RSVP,
  PaymentElement,
  PaymentError,
  Quarantine,
  REFUSALS,
} from '../../policy/payment/index.js';
import { QuarantineTable } from '../../policy/stores/books/quarantine.js';
import { BOOKS_MIGRATIONS } from '../../policy/stores/books/schema.js';
import type { BooksSchema } from '../../policy/stores/books/schema.js';
import { openStore } from '../../policy/stores/io/open.js';
import { StoreUnavailable } from '../../policy/stores/store.js';
import { onEachEngine } from '../../policy/stores/test/engines.js';
import { decodeCapture } from '../../rsvp/capture/index.js';
import { firstOf, PolicyData, Reader, Writer } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { createLog } from '../pdp/log.js';
import { parseConfig } from '../pdp/load.js';
import { QuarantineSync } from '../pdp/quarantine-sync.js';
import { PdpService } from '../pdp/service.js';
import { rsvpMessage } from '../replay/capture.js';
import { ended, runBandex, startBandex } from './serving.js';

const STORY_TIME = '2007-11-20T20:00:00Z';
const RESVS = decodeCapture(readFixture('story/story.pcap'))
  .map(rsvpMessage)
  .filter((message) => typeof message !== 'string')
  .filter(({ type }) => type === 'Resv')
  .map(({ objects }) => objects);
const [GRANTED = [], TOO_DEAR = []] = RESVS;
const FORGED = RESVS[4] ?? [];
const MISCLAIMED = RESVS[6] ?? [];
const HOP = '192.0.2.7';

/** What a PDP says to a Resv: `install`, or why not. */
async function answer(pep: PepClient, objects: readonly WireObject[]): Promise<string> {
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(writer, objects);
  const { decisions, handle } = await pep.request({
    rType: R_TYPE.incoming | R_TYPE.allocation | R_TYPE.outgoing,
    mType: 2,
    inInterface: { address: HOP, ifindex: 1 },
    clientSi: [{ kind: 'signaled', data: writer.finish() }],
  });
  pep.delete(handle);
  const [decision] = decisions;
  if (decision?.command === 'install') return 'install';
  const objectsBack = PAYMENT_RSVP.objects.readAll(new Reader(decision?.replacement ?? new Uint8Array()));
  const elements = objectsBack.flatMap((one) => (PolicyData.is(one) ? one.elements : []));
  const element = elements.find((one) => PaymentElement.is(one));
  const code = firstOf(element?.attributes ?? [], PaymentError)?.code;
  return Object.entries(REFUSALS).find(([, kind]) => kind.code === code)?.[0] ?? 'remove';
}

async function pepAt(port: number, pepId = 'router'): Promise<PepClient> {
  const pep = new PepClient({ pdps: [{ host: '127.0.0.1', port }], pepId });
  await pep.opened();
  return pep;
}

/** Asks until the answer is another one; how long that took, milliseconds. */
async function until(is: (said: string) => boolean, ask: () => Promise<string>): Promise<number> {
  const begun = performance.now();
  while (!is(await ask())) {
    assert.ok(performance.now() - begun < 15_000, 'it never changed');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - begun;
}

function config(database: string, quarantine: string): string {
  const story = (name: string): string => fixturePath(`story/${name}`);
  return `
listen: [{ address: 127.0.0.1, port: 0 }]
policy:
  files: [${story('policy.kn')}]
  route: ${story('keys/route.pub')}
  names: { Alice: ${story('keys/alice.pub')} }
links: [{ name: Dublin-NYC, ifIndex: 1 }]
store: { database: '${database}' }
metrics: { port: 0 }
quarantine: ${quarantine}
`;
}

describe('PDPs with one database', () => {
  onEachEngine(({ place }) => {
    let services: PdpService[];
    let peps: PepClient[];
    beforeEach(() => {
      services = [];
      peps = [];
    });
    afterEach(async () => {
      await Promise.all(peps.map((pep) => pep.close()));
      await Promise.all(services.map((service) => service.stop()));
    });

    async function start(
      database: string,
      rules: string,
    ): Promise<{ pep: PepClient; port: number; http: string }> {
      const log = createLog({ level: 'silent', format: 'json' });
      const service = new PdpService(parseConfig('pdp.yaml', config(database, rules)), {
        log,
        clock: () => Date.parse(STORY_TIME),
      });
      services.push(service);
      const listening = await service.start();
      const portOf = (name: string): number => listening.find((at) => at.service === name)?.port ?? 0;
      const pep = await pepAt(portOf('cops'));
      peps.push(pep);
      return { pep, port: portOf('cops'), http: `http://127.0.0.1:${portOf('http')}/metrics` };
    }

    it('refuse at each of them, within a second, and after a restart, whoever has failed too often at one', async function () {
      this.timeout(10_000);
      const database = await place();
      const rules = '{ source: { failures: 4 } }';
      const [one, other] = [await start(database, rules), await start(database, rules)];
      for (let i = 0; i < 4; i++) assert.equal(await answer(one.pep, FORGED), 'bad-signature');
      assert.equal(await answer(one.pep, GRANTED), 'quarantined');
      const time = await until(
        (said) => said === 'quarantined',
        () => answer(other.pep, GRANTED),
      );
      assert.ok(time < 1000, `${time} ms`);
      const lines = (await (await fetch(one.http)).text()).split('\n');
      for (const line of [
        'bandex_pdp_quarantined{kind="source"} 1',
        'bandex_pdp_quarantined{kind="key"} 0',
        'bandex_pdp_quarantines_total{kind="source"} 1',
        'bandex_pdp_quarantine_refusals_total{kind="source"} 1',
      ])
        assert.ok(lines.includes(line), line);
      const third = await start(database, rules);
      assert.equal(await answer(third.pep, GRANTED), 'quarantined');
      const core = await pepAt(third.port, 'core');
      peps.push(core);
      assert.equal(await answer(core, GRANTED), 'install', 'the same address at another router');
    });

    it('decide without waiting for the table, and write it when they can', async function () {
      this.timeout(10_000);
      const store = await openStore<BooksSchema>(await place(), BOOKS_MIGRATIONS);
      let isBroken = false;
      const broken = (): Promise<never> => Promise.reject(new StoreUnavailable('on purpose'));
      const failures: unknown[] = [];
      const quarantine = new Quarantine(parseConfig('pdp.yaml', '').quarantine);
      const sync = await QuarantineSync.open(
        { ...store, transaction: (work) => (isBroken ? broken() : store.transaction(work)) },
        quarantine,
        { now: () => 0, changed: () => undefined, failed: (error) => failures.push(error) },
      );
      isBroken = true;
      const party = {
        kind: 'pep',
        id: 'edge-1',
        since: 0,
        until: 9,
        failures: 1,
        reason: 'bad-element',
      } as const;
      sync.add([party]);
      await until(
        (said) => said === '1',
        () => Promise.resolve(String(failures.length)),
      );
      isBroken = false;
      const table = new QuarantineTable(store);
      await until(
        (said) => said === '1',
        async () => String((await table.list()).length),
      );
      assert.deepEqual(await table.list(), [party]);
      await sync.close();
      await store.close();
    });
  });
});

describe('bandex quarantine', () => {
  let folder: string;
  let file: string;
  let child: ChildProcess;
  let log: string;
  let port: number;
  let pep: PepClient;

  const bandex = (...args: string[]) => runBandex(['quarantine', ...args]);
  const logged = async (text: string): Promise<Readonly<Record<string, unknown>>> => {
    const find = (): string | undefined => log.split('\n').find((line) => line.includes(text));
    await until(
      (said) => said === 'found',
      () => Promise.resolve(find() === undefined ? log : 'found'),
    );
    return JSON.parse(find() ?? '') as Readonly<Record<string, unknown>>;
  };

  beforeEach(async function () {
    this.timeout(10_000);
    folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    file = join(folder, 'pdp.yaml');
    // A single check above her limit is enough here, and four failures of a neighbour.
    writeFileSync(file, config('books.db', '{ key: { failures: 1 }, source: { failures: 4 } }'));
    child = startBandex(['pdp', '--config', file, '--json', '--at', STORY_TIME]);
    log = '';
    child.stderr?.on('data', (text: string) => (log += text));
    const listening = String(await new Promise((resolve) => child.stdout?.once('data', resolve)));
    port = (JSON.parse(listening.split('\n')[0] ?? '') as { port: number }).port;
    pep = await pepAt(port);
  });

  afterEach(async function () {
    this.timeout(10_000);
    const end = ended(child);
    child.kill('SIGTERM');
    await pep.close();
    await end;
    rmSync(folder, { recursive: true });
  });

  it('shows who is in quarantine, by name where there is one, and lets them out of running PDPs within a second', async function () {
    this.timeout(60_000);
    assert.match((await bandex('list', '-c', file)).err, /nobody is in quarantine/);
    assert.equal(await answer(pep, TOO_DEAR), 'not-authorized');
    assert.equal(await answer(pep, GRANTED), 'quarantined', 'Alice, who asks here as well');
    for (let i = 0; i < 4; i++) await answer(pep, MISCLAIMED);
    const { level, who, kind, cause } = await logged('"quarantined"');
    assert.deepEqual([level, who, kind, cause], ['warn', 'Alice', 'key', 'not-authorized']);
    let rows: readonly string[] = [];
    await until(
      (said) => said === '3',
      async () => String((rows = (await bandex('list', '-c', file)).lines).length),
    );
    const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
    assert.match(rows[0] ?? '', /^KIND +WHO +SINCE +UNTIL +FAILURES +LAST REASON$/);
    const others = rows.slice(1).sort();
    assert.match(others[0] ?? '', new RegExp(`^key +Alice +${time} +${time} +1 +not-authorized$`));
    assert.match(
      others[1] ?? '',
      new RegExp(`^source +${HOP}@router +${time} +${time} +4 +claim-overrides$`),
    );
    const json = (await bandex('list', '-c', file, '--json')).lines.map(
      (line) => JSON.parse(line) as Readonly<Record<string, unknown>>,
    );
    assert.deepEqual(json.map(({ kind: one, failures }) => [one, failures]).sort(), [
      ['key', 1],
      ['source', 4],
    ]);

    assert.deepEqual((await bandex('release', 'source', `${HOP}@router`, '-c', file)).lines, [
      `released source ${HOP}@router`,
    ]);
    assert.equal((await logged('"released"'))['kind'], 'source');
    assert.equal(await answer(pep, GRANTED), 'quarantined');
    const { code } = await bandex('release', 'key', 'Alice', '--config', file);
    assert.equal(code, 0);
    const begun = performance.now();
    await until(
      (said) => said === 'install',
      () => answer(pep, GRANTED),
    );
    assert.ok(performance.now() - begun < 1000);
    const again = await bandex('release', 'key', 'Alice', '--config', file);
    assert.deepEqual([again.code, again.err], [2, 'bandex: there is nobody to release\n']);
  });

  it('releases everybody, or everybody of a kind', async function () {
    this.timeout(60_000);
    await answer(pep, TOO_DEAR);
    await until(
      (said) => said === '2',
      async () => String((await bandex('list', '-c', file)).lines.length),
    );
    assert.equal((await bandex('release', 'pep', '--all', '-c', file)).code, 2);
    const { code, lines } = await bandex('release', '--all', '-c', file, '--json');
    assert.deepEqual([code, (JSON.parse(lines[0] ?? '') as { who: string }).who], [0, 'Alice']);
  });

  it('takes other rules, or none, on SIGHUP', async function () {
    this.timeout(60_000);
    assert.equal(await answer(pep, TOO_DEAR), 'not-authorized');
    assert.equal(await answer(pep, GRANTED), 'quarantined');
    const reload = async (rules: string): Promise<void> => {
      log = '';
      writeFileSync(file, config('books.db', rules));
      child.kill('SIGHUP');
      await logged('"reloaded"');
    };
    await reload('{ enabled: false }');
    assert.equal(await answer(pep, GRANTED), 'install');
    for (let i = 0; i < 40; i++) assert.equal(await answer(pep, MISCLAIMED), 'claim-overrides');
    await reload('{ source: { failures: 3 } }');
    assert.equal(
      await answer(pep, GRANTED),
      'quarantined',
      'Alice is still in, and her check counted against her neighbour',
    );
    for (let i = 0; i < 2; i++) assert.equal(await answer(pep, MISCLAIMED), 'claim-overrides');
    assert.equal(await answer(pep, MISCLAIMED), 'quarantined');
  });

  it('says what is wrong with a command line, a database that is not there, or one that nobody else sees', async function () {
    this.timeout(60_000);
    for (const [code, ...args] of [
      [64, 'list'],
      [64, 'release', '-c', file],
      [64, 'release', 'key', '-c', file],
      [64, 'release', 'person', 'Alice', '-c', file],
      [64, 'release', 'key', 'Alice', '--all', '-c', file],
    ] as const) {
      const ran = await bandex(...args);
      assert.deepEqual([ran.code, ran.out], [code, ''], args.join(' '));
    }
    const other = join(folder, 'other.yaml');
    for (const [database, text] of [
      [':memory:', /which only the PDP itself sees/],
      ['none.db', /there is no database/],
    ] as const) {
      writeFileSync(other, config(database, '{}'));
      const ran = await bandex('list', '-c', other);
      assert.equal(ran.code, 1);
      assert.match(ran.err, text);
    }
  });
});

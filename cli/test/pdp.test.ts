import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyRing, R_TYPE, TRIGGER_ERROR } from '../../cops/index.js';
import type { PepRequest } from '../../cops/index.js';
import { PepClient, RequestError } from '../../cops/io/index.js';
import type { PepClientOptions } from '../../cops/io/index.js';
import { fixturePath, readFixture } from '../../fixtures/index.js';
import { PAYMENT_RSVP, PaymentElement, PaymentError } from '../../policy/payment/index.js';
import { decodeCapture } from '../../rsvp/capture/index.js';
import { ErrorSpecIpv4, firstOf, POLICY_ERROR, PolicyData, Reader, Writer } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/index.js';
import { createLog } from '../pdp/log.js';
import { parseConfig } from '../pdp/load.js';
import { PdpService } from '../pdp/service.js';
import { rsvpMessage } from '../replay/capture.js';
import { startBandex, ended } from './serving.js';

const STORY_TIME = Date.parse('2007-11-20T20:00:00Z');
const { incoming, allocation, outgoing } = R_TYPE;
const WHOLE = incoming | allocation | outgoing;

/** The Resv messages of the story, in order: granted, then refused each for its own reason. */
const RESVS = decodeCapture(readFixture('story/story.pcap'))
  .map(rsvpMessage)
  .filter((message) => typeof message !== 'string')
  .filter(({ type }) => type === 'Resv');
const GRANTED = RESVS[0]?.objects ?? [];
const TOO_DEAR = RESVS[1]?.objects ?? [];

const STORY = `
listen: [{ address: 127.0.0.1, port: 0 }]
policy:
  files: [policy.kn]
  appDomain: Band-X
  route: keys/route.pub
links: [{ name: Dublin-NYC, ifIndex: 1 }]
metrics: { port: 0 }
`;

/** A PDP in this process, and a PEP that talks to it over loopback. */
class Bench {
  readonly service: PdpService;
  readonly #peps: PepClient[] = [];
  port = 0;
  http = '';

  constructor(config = STORY, clock: () => number = () => STORY_TIME) {
    const log = createLog({ level: 'silent', format: 'json' });
    const parsed = parseConfig(fixturePath('story/test.yaml'), config);
    const store = { ...parsed.store, database: ':memory:' };
    this.service = new PdpService({ ...parsed, store }, { log, clock });
  }

  async start(): Promise<this> {
    for (const { service, address, port } of await this.service.start()) {
      if (service === 'http') this.http = `http://${address}:${port}`;
      else this.port = port;
    }
    return this;
  }

  async pep(pepId = 'router', options: Partial<PepClientOptions> = {}, keys?: KeyRing): Promise<PepClient> {
    const target = { host: '127.0.0.1', port: this.port, ...(keys === undefined ? {} : { keys }) };
    const pep = new PepClient({ pdps: [target], pepId, ...options });
    this.#peps.push(pep);
    await pep.opened();
    return pep;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#peps.map((pep) => pep.close()));
    await this.service.stop();
  }
}

function resv(objects: readonly WireObject[], more: Partial<PepRequest> = {}): PepRequest {
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(writer, objects);
  return {
    rType: WHOLE,
    mType: 2,
    inInterface: { address: '192.0.2.7', ifindex: 1 },
    clientSi: [{ kind: 'signaled', data: writer.finish() }],
    ...more,
  };
}

function replacement(data: Uint8Array | undefined): WireObject[] {
  return PAYMENT_RSVP.objects.readAll(new Reader(data ?? new Uint8Array()));
}

function reasonIn(objects: readonly WireObject[]): string | undefined {
  const [policyData] = objects.filter((object) => PolicyData.is(object));
  const [element] = policyData?.elements.filter((one) => PaymentElement.is(one)) ?? [];
  return firstOf(element?.attributes ?? [], PaymentError)?.reason;
}

async function errorCode(answer: Promise<unknown>): Promise<number | string> {
  try {
    await answer;
  } catch (error) {
    assert.ok(error instanceof RequestError);
    return error.failure.kind === 'error' ? error.failure.errorCode : error.failure.kind;
  }
  return 'decided';
}

describe('a PDP that cannot listen', () => {
  it('ends with 1, and does not stay behind with its database open', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const folder = mkdtempSync(join(tmpdir(), 'bandex-pdp-'));
    const config = join(folder, 'pdp.yaml');
    writeFileSync(config, `listen: [{ address: 127.0.0.1, port: ${port} }]\nstore: { database: books.db }\n`);
    const { code, err } = await ended(startBandex(['pdp', '--config', config]));
    await new Promise<void>((resolve) => taken.close(() => resolve()));
    rmSync(folder, { recursive: true, force: true });
    assert.equal(code, 1, err);
    assert.match(err, /EADDRINUSE/);
  }).timeout(30_000);
});

describe('a PDP as configured', () => {
  let bench: Bench;
  afterEach(() => bench.stop());

  it('grants what is paid for: Install', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    const { decisions } = await pep.request(resv(GRANTED));
    assert.deepEqual(
      decisions.map(({ command, context }) => [command, context?.rType]),
      [['install', WHOLE]],
    );
  });

  it('refuses with Remove and Trigger Error, and puts ERROR_SPEC and reason into Replacement Data (RFC 2749 2.4, 3.7)', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    const [decision] = (await pep.request(resv(TOO_DEAR))).decisions;
    assert.deepEqual([decision?.command, decision?.flags], ['remove', TRIGGER_ERROR]);
    const objects = replacement(decision?.replacement);
    const spec = firstOf(objects, ErrorSpecIpv4);
    // RFC 2750 Appendix A: error code 2, Policy Control failure.
    assert.deepEqual([spec?.errorCode, spec?.errorValue], [2, POLICY_ERROR.ERR_REJECT]);
    assert.match(reasonIn(objects) ?? '', /amount 0\.60 is not < 0\.56/);
  });

  it('tells a PEP that asks before it sends the ResvErr what to put into it (RFC 2749 3.7)', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    const [refused] = (await pep.request(resv(TOO_DEAR))).decisions;
    const classes = ['SESSION', 'RSVP_HOP', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'];
    const resvErr = TOO_DEAR.filter((object) => classes.includes(object.class));
    const [decision] = (await pep.request(resv(resvErr, { rType: outgoing, mType: 4 }))).decisions;
    assert.equal(decision?.command, 'install');
    assert.deepEqual(decision.replacement, refused?.replacement);
    const [other] = (await (await bench.pep('other')).request(resv(resvErr, { rType: outgoing, mType: 4 })))
      .decisions;
    assert.equal(other?.replacement, undefined, 'another router was not refused anything');
  });

  it('answers with the error "Mandatory client-specific info missing" where an object of RSVP is missing (RFC 2749 2.3)', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    for (const missing of ['SESSION', 'RSVP_HOP', 'TIME_VALUES', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC']) {
      const objects = GRANTED.filter((object) => object.class !== missing);
      assert.equal(await errorCode(pep.request(resv(objects))), 5, missing);
    }
    assert.equal(await errorCode(pep.request({ rType: WHOLE, mType: 2 })), 5, 'no ClientSI');
    assert.equal(await errorCode(pep.request(resv(GRANTED, { mType: 5 }))), 4, 'a PathTear is not for COPS');
  });

  it('refuses, and does not fail, where optional objects that the policy needs are missing (RFC 2749 2.3)', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    const [decision] = (await pep.request(resv(GRANTED.filter((object) => object.class !== 'POLICY_DATA'))))
      .decisions;
    assert.equal(decision?.command, 'remove');
    const spec = firstOf(replacement(decision.replacement), ErrorSpecIpv4);
    assert.equal(spec?.errorValue, POLICY_ERROR.ERR_PD_MISS);
  });

  it('refuses malformed policy data as such, and other malformed objects as such (RFC 2750 Appendix A)', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    for (const [classNum, value] of [
      [14, POLICY_ERROR.ERR_PE_BAD],
      [9, POLICY_ERROR.ERR_RSVP],
    ] as const) {
      const request = resv(GRANTED);
      const data = Uint8Array.from(request.clientSi?.[0]?.data ?? []);
      const view = new DataView(data.buffer);
      let at = 0;
      while (view.getUint8(at + 2) !== classNum) at += view.getUint16(at);
      // The first length inside: of the policy element, or of the int-serv service data.
      view.setUint16(classNum === 14 ? at + 8 : at + 6, 0xfff0);
      const [decision] = (await pep.request({ ...request, clientSi: [{ kind: 'signaled', data }] }))
        .decisions;
      const spec = firstOf(replacement(decision?.replacement), ErrorSpecIpv4);
      assert.deepEqual([decision?.command, spec?.errorValue], ['remove', value]);
    }
  });

  it('never grants where judging throws', async () => {
    bench = await new Bench(STORY, () => {
      throw new Error('no clock');
    }).start();
    const pep = await bench.pep();
    const [decision] = (await pep.request(resv(GRANTED))).decisions;
    assert.equal(decision?.command, 'remove');
  });

  it('lets go of the nonce when the request is deleted, and keeps it once success is reported', async () => {
    bench = await new Bench().start();
    const [first = [], second = []] = RESVS.slice(7, 9).map(({ objects }) => objects);
    const pep = await bench.pep();
    const ask = async (objects: readonly WireObject[]): Promise<[string, string | undefined]> => {
      const { handle, decisions } = await pep.request(resv(objects));
      return [handle, decisions[0]?.command];
    };
    const [one, granted] = await ask(first);
    assert.equal(granted, 'install');
    assert.equal((await ask(second))[1], 'remove', 'the same nonce for another reservation');
    pep.delete(one);
    const [two, after] = await ask(second);
    assert.equal(after, 'install');
    pep.report(two, 'success');
    pep.delete(two);
    assert.equal((await ask(first))[1], 'remove');
  });

  it('lets what a router merges and forwards pass on what came in and was paid for, and on nothing else (RFC 2749 2.3, 5.2)', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    const merged = GRANTED.filter((object) =>
      ['SESSION', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'].includes(object.class),
    );
    const command = async (objects: readonly WireObject[], rType: number): Promise<string | undefined> => {
      const outInterface = { address: '198.51.100.9', ifindex: 9 };
      const { inInterface = { address: '', ifindex: 0 }, ...rest } = resv(objects, { rType });
      const at = rType === outgoing ? { outInterface } : { inInterface };
      return (await pep.request({ ...rest, ...at })).decisions[0]?.command;
    };
    assert.equal(await command(merged, allocation), 'remove', 'nothing was paid yet');
    assert.equal(await command(GRANTED, incoming), 'install');
    assert.equal(await command(merged, allocation), 'install');
    // The outgoing message carries the credentials on, by a link that nobody made an offer for.
    assert.equal(await command(GRANTED, outgoing), 'install');
    const other = TOO_DEAR.filter((object) =>
      ['SESSION', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'].includes(object.class),
    );
    assert.equal(await command(other, allocation), 'remove', 'another session');
  });

  it('knows a link by its interface: another one is not what was sold', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    const [decision] = (
      await pep.request(resv(GRANTED, { inInterface: { address: '192.0.2.7', ifindex: 2 } }))
    ).decisions;
    assert.equal(decision?.command, 'remove');
  });

  it('serves metrics, health and readiness', async () => {
    bench = await new Bench().start();
    const pep = await bench.pep();
    await pep.request(resv(GRANTED));
    await pep.request(resv(TOO_DEAR));
    const get = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`${bench.http}${path}`);
      return [response.status, await response.text()];
    };
    assert.deepEqual(await get('/-/healthy'), [200, 'healthy\n']);
    assert.deepEqual(await get('/-/ready'), [200, 'ready\n']);
    assert.equal((await get('/'))[0], 404);
    const [status, text] = await get('/metrics');
    assert.equal(status, 200);
    const lines = text.split('\n');
    for (const line of [
      'bandex_pdp_decisions_total{outcome="install",reason="granted"} 1',
      'bandex_pdp_decisions_total{outcome="remove",reason="not-authorized"} 1',
      'bandex_pdp_decision_seconds_count 2',
      'bandex_pdp_connections 1',
      'bandex_pdp_handles 2',
    ]) {
      assert.ok(
        lines.includes(line),
        `${line}\n${lines.filter((one) => one.startsWith('bandex')).join('\n')}`,
      );
    }
  });

  it('insists on the INTEGRITY keys of a PEP (RFC 2748 4.1)', async () => {
    const keys = `integrity:\n  keys: [{ pep: 'edge-*', id: 7, secret: correct horse }]\n`;
    bench = await new Bench(`${STORY}${keys}`).start();
    const ring = (secret: string): KeyRing => new KeyRing([{ id: 7, secret: Buffer.from(secret) }]);
    const pep = await bench.pep('edge-1', {}, ring('correct horse'));
    assert.equal((await pep.request(resv(GRANTED))).decisions[0]?.command, 'install');
    for (const [pepId, wrong] of [
      ['edge-1', ring('battery staple')],
      ['core-1', ring('correct horse')],
      ['edge-1', undefined],
    ] as const) {
      const target = { host: '127.0.0.1', port: bench.port, ...(wrong === undefined ? {} : { keys: wrong }) };
      const stranger = new PepClient({ pdps: [target], pepId });
      const outcome = await new Promise<string>((resolve) => {
        stranger.once('opened', () => resolve('opened'));
        stranger.once('lost', () => resolve('lost'));
      });
      await stranger.close();
      assert.equal(outcome, 'lost', pepId);
    }
  });
});

describe('bandex pdp', () => {
  it('reloads on SIGHUP, keeps what it has on an error, and tells its PEPs when it is stopped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    const file = join(folder, 'pdp.yaml');
    const config = (pass: string): string =>
      `listen: [{ address: 127.0.0.1, port: 0 }]\npolicy: { pass: [${pass}] }\n`;
    writeFileSync(file, config('Resv'));
    const child = startBandex(['pdp', '--config', file, '--json']);
    const end = ended(child);
    let log = '';
    child.stderr?.on('data', (text: string) => (log += text));
    const logged = async (text: string): Promise<void> => {
      while (!log.includes(text)) await new Promise((resolve) => child.stderr?.once('data', resolve));
    };
    const listening = await new Promise<string>((resolve) => child.stdout?.once('data', resolve));
    const { port } = JSON.parse(listening) as { port: number };
    const pep = new PepClient({ pdps: [{ host: '127.0.0.1', port }], pepId: 'router' });
    try {
      await pep.opened();
      const command = async (): Promise<string | undefined> =>
        (await pep.request(resv(GRANTED))).decisions[0]?.command;
      assert.equal(await command(), 'install');

      writeFileSync(file, 'polizy: {}\n');
      child.kill('SIGHUP');
      await logged('not reloaded');
      assert.match(log, /pdp\.yaml:1:1: unknown key `polizy`/);
      assert.equal(await command(), 'install');

      writeFileSync(file, config('Path'));
      child.kill('SIGHUP');
      await logged('"reloaded"');
      assert.equal(await command(), 'remove');

      const lost = new Promise<string>((resolve) => pep.once('lost', ({ reason }) => resolve(reason)));
      child.kill('SIGTERM');
      // Shutting down (RFC 2748 2.2.8).
      assert.match(await lost, /error 11/);
    } finally {
      await pep.close();
      child.kill('SIGTERM');
      rmSync(folder, { recursive: true });
    }
    const { code, err } = await end;
    assert.equal(code, 0, err);
    const decisions = err
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ msg }) => msg === 'decision');
    assert.deepEqual(
      decisions.map(({ pep: pepId, decision }) => [pepId, decision]),
      [
        ['router', 'install'],
        ['router', 'install'],
        ['router', 'remove'],
      ],
    );
    assert.equal(new Set(decisions.map(({ id }) => id)).size, 3, 'each has an id of its own');
    assert.ok(
      decisions.every(
        ({ micros, handle, session, reason }) =>
          micros !== undefined &&
          handle !== undefined &&
          session === '192.0.2.7/UDP/5004' &&
          reason !== undefined,
      ),
    );
  });
});

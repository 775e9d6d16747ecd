import assert from 'node:assert/strict';
import {
  AcctTimer,
  Context,
  CopsError,
  DecisionFlags,
  Handle,
  KaTimer,
  KeyRing,
  LastPdpAddrIpv4,
  LastPdpAddrIpv6,
  NamedClientSi,
  OP,
  PdpRedirAddrIpv6,
  PepId,
  Reason,
} from '../index.js';
import type { Decision, PdpConnection, PepRequest } from '../index.js';
import { hex, message, PdpBench, PepBench } from './support.js';

/* What RFC 2748 asks for in passing: the corners between the flows that the other files are about. */

const PEP_ID = PepId.make({ pepId: 'pep-1' });
const OPN = message(OP.OPN, 1, [PEP_ID]);
const CACHED = message(OP.OPN, 1, [
  PEP_ID,
  LastPdpAddrIpv4.make({ address: '192.0.2.10', tcpPortNumber: 3288 }),
]);
const CAT = message(OP.CAT, 1, [KaTimer.make({ kaTimerValue: 40 })]);
const SSQ = message(OP.SSQ, 1);
const SSC = message(OP.SSC, 1);
const handle = (text: string) => Handle.make({ handle: hex(text) });
const req = (text: string, rType = 1, mType = 2): Uint8Array =>
  message(OP.REQ, 1, [handle(text), Context.make({ rType, mType })]);
const dec = (text: string, commandCode = 1, flags = 1): Uint8Array =>
  message(
    OP.DEC,
    1,
    [handle(text), Context.make({ rType: 1, mType: 2 }), DecisionFlags.make({ commandCode, flags: 0 })],
    flags,
  );
const decError = (text: string, errorCode: number): Uint8Array =>
  message(OP.DEC, 1, [handle(text), CopsError.make({ errorCode, errorSubCode: 0 })], 1);
const ASK: PepRequest = { handle: '01', rType: 1, mType: 2 };

function openPep(options: ConstructorParameters<typeof PepBench>[0] = {}): PepBench {
  const bench = new PepBench(options).connected().receive(CAT);
  bench.said();
  bench.told();
  return bench;
}
function ask(bench: PepBench, request: PepRequest = ASK): PepBench {
  return bench.perform(bench.pep.request(bench.now, request).effects);
}
/** A PDP that knows itself as the LastPDPAddr of `CACHED`. */
function knownPdp(options: ConstructorParameters<typeof PdpBench>[0] = {}): PdpBench {
  return new PdpBench({ addresses: [{ address: '192.0.2.10', port: 3288 }], ...options });
}
function reconnect(bench: PdpBench, octets: Uint8Array): PdpConnection {
  const again = bench.pdp.connect(bench.now, { address: '192.0.2.1', port: 2 }) ?? assert.fail();
  bench.said();
  bench.perform(again.receive(bench.now, octets));
  return again;
}
const handles = (bench: PdpBench): string[] =>
  [...bench.pdp.sessions()].flatMap((session) => session.requests.map((request) => request.handle));

describe('RFC 2748 at the PDP', () => {
  it('takes no offence at flags and reserved fields that are not 0 (2.1)', () => {
    const bench = new PdpBench().receive(
      OPN,
      message(OP.REQ, 1, [handle('01'), Context.make({ rType: 1, mType: 2 })], 0xe),
    );
    assert.equal(bench.said()[1], 'DEC+ 1 Handle 01, Context 1/2, Decision 1/0');
  });

  it('says an unsolicited decision behind the answer to a request under way, never before it (3.2)', () => {
    const bench = new PdpBench({ decide: () => new Promise<Decision>(() => undefined) }).receive(
      OPN,
      req('01'),
    );
    bench.said();
    const [request] = bench.pdp.find('pep-1', '01');
    assert.ok(request);
    bench.perform(bench.pdp.revise(0, request, { command: 'remove' }));
    assert.deepEqual(bench.said(), []);
    bench.perform(bench.connection.answer(0, request, { command: 'install' }));
    assert.deepEqual(bench.said(), [
      'DEC+ 1 Handle 01, Context 1/2, Decision 1/0',
      'DEC 1 Handle 01, Context 1/2, Decision 2/0',
    ]);
    assert.equal(request.installed?.[0]?.command, 'remove');
  });

  it('keeps a request through a synchronization while its answer is under way: the PEP asks but once (3.2, 3.5)', () => {
    const bench = new PdpBench({ decide: () => new Promise<Decision>(() => undefined) }).receive(
      OPN,
      req('01'),
    );
    const [request] = bench.pdp.find('pep-1', '01');
    bench.perform(bench.pdp.synchronize(0));
    bench.perform(bench.connection.answer(0, request ?? assert.fail(), { command: 'install' }));
    bench.receive(SSC);
    assert.deepEqual(handles(bench), ['01']);
  });

  it('hears of global state changes in a second Client-Open (3.6)', () => {
    const heard: (string | undefined)[] = [];
    const bench = new PdpBench({
      reopened: ({ clientSi }) => heard.push(clientSi && Buffer.from(clientSi).toString('hex')),
    });
    const changed = message(OP.OPN, 1, [PEP_ID, NamedClientSi.make({ data: hex('c0de') })]);
    bench.receive(OPN, req('01'), changed, OPN);
    assert.deepEqual(heard, ['c0de', 'c0de']);
    assert.deepEqual(handles(bench), ['01']);
  });

  it('names an unknown object of a Client-Open in its Client-Close (2.2.8, 3.6)', () => {
    const bench = new PdpBench().receive(
      hex('10060001 0000001c 000a0b01 7065702d 31000000 00087f07 00000001'),
    );
    assert.deepEqual(bench.said(), ['CC 1 Error 13/127.7']);
  });

  it('gives a PEP back the states of its latest connection, though an older one is lost after it (2.5)', () => {
    const bench = knownPdp({ synchronize: 'missing' }).receive(OPN, req('01'));
    const second = reconnect(bench, Buffer.concat([OPN, req('02')]));
    bench.perform(second.disconnected(0, 'gone')).perform(bench.connection.disconnected(0, 'gone'));
    reconnect(bench, CACHED);
    assert.deepEqual(handles(bench), ['02']);
    assert.deepEqual(bench.said(), ['CAT 1 KATimer 30']);
  });

  it('does not take states for complete that were lost while they were synchronized (2.5)', () => {
    const bench = knownPdp({ synchronize: 'missing' }).receive(OPN, req('01'));
    bench.perform(bench.pdp.synchronize(0)).perform(bench.connection.disconnected(0, 'gone'));
    reconnect(bench, CACHED);
    assert.deepEqual(bench.said(), ['CAT 1 KATimer 30', 'SSQ 1']);
  });

  it('asks again about a request it has revised while the PEP was away, or just before (2.5)', () => {
    for (const isAway of [true, false]) {
      const bench = knownPdp({ synchronize: 'missing' }).receive(OPN, req('01'), req('02'));
      const [request] = bench.pdp.find('pep-1', '02');
      if (isAway) bench.perform(bench.connection.disconnected(0, 'gone'));
      bench.perform(bench.pdp.revise(0, request ?? assert.fail(), { command: 'remove' }));
      if (!isAway) bench.perform(bench.connection.disconnected(0, 'gone'));
      reconnect(bench, CACHED);
      assert.deepEqual(bench.said(), ['CAT 1 KATimer 30', 'SSQ 1 Handle 02']);
    }
  });

  it('goes on after a transport that says it is blocked when all is over', () => {
    const bench = new PdpBench().receive(OPN);
    bench.perform(bench.connection.disconnected(0, 'gone')).perform(bench.connection.blocked(0, 1));
    assert.equal(bench.connection.nextTimeout(), undefined);
  });
});

describe('RFC 2748 at the PEP', () => {
  it('sends at most one solicited report for a decision (3.3)', () => {
    const bench = ask(openPep()).receive(dec('01'), dec('01', 2, 0));
    bench.said();
    for (let n = 0; n < 3; n++) bench.perform(bench.pep.report(0, '01', 'success'));
    assert.deepEqual(bench.said(), [
      'RPT+ 1 Handle 01, Report-Type 1',
      'RPT+ 1 Handle 01, Report-Type 1',
      'RPT 1 Handle 01, Report-Type 1',
    ]);
  });

  it('sends no unsolicited accounting report where the ACCT Timer is 0 (2.2.15)', () => {
    const cat = message(OP.CAT, 1, [
      KaTimer.make({ kaTimerValue: 0 }),
      AcctTimer.make({ acctTimerValue: 0 }),
    ]);
    const bench = ask(new PepBench().connected().receive(cat)).receive(dec('01'));
    bench.said();
    bench.run(1e6).perform(bench.pep.report(bench.now, '01', 'accounting'));
    assert.deepEqual(bench.said(), []);
    bench.perform(bench.pep.report(bench.now, '01', 'accounting', { solicited: true }));
    assert.deepEqual(bench.said(), ['RPT+ 1 Handle 01, Report-Type 3']);
  });

  it('obeys the least KA Timer of all Client-Accepts (3.9)', () => {
    const bench = openPep({ random: () => 0 }).receive(
      message(OP.CAT, 1, [KaTimer.make({ kaTimerValue: 8 })]),
    );
    assert.deepEqual(bench.run(1999).said(), []);
    assert.deepEqual(bench.run(1).said(), ['KA 0']);
  });

  it('takes the first decision for the answer, though the flag is missing; later ones need it (3.2)', () => {
    const bench = ask(openPep()).receive(dec('01', 1, 0));
    const [first] = bench.told();
    assert.ok(first?.kind === 'decision' && first.solicited);
    ask(bench, { ...ASK, fresh: true }).receive(dec('01', 2, 0));
    const [later] = bench.told();
    assert.ok(later?.kind === 'decision' && !later.solicited);
    assert.throws(() => bench.pep.request(0, { ...ASK, fresh: true }), TypeError);
  });

  it('asks again, and not its cache, after an Error (RFC 2749 3.5)', () => {
    const bench = ask(openPep()).receive(dec('01'));
    ask(bench, { ...ASK, mType: 1 }).receive(decError('01', 4));
    bench.said();
    ask(bench, { ...ASK, mType: 1 });
    assert.deepEqual(bench.said(), ['REQ 1 Handle 01, Context 1/1']);
  });

  it('leaves for client-type 0 while security is negotiated, naming an unknown Integrity (4.1, case 2)', () => {
    const keys = new KeyRing([{ id: 1, secret: hex('00') }]);
    for (const [answer, error] of [
      ['10070000 00000018 00080a01 0000001e 00081003 00000001', '13/16.3'],
      ['10070000 00000010 00080f01 0000001e', '7/0'],
      ['10070000 00000009', '3/0'],
    ] as const) {
      const bench = new PepBench({ pdps: [{ host: '192.0.2.10', keys }] }).connected();
      bench.said();
      assert.deepEqual(bench.receive(hex(answer)).said(), [`CC 0 Error ${error}`]);
    }
  });

  it('leaves a PDP that closes client-type 0', () => {
    const bench = openPep().receive(message(OP.CC, 0, [CopsError.make({ errorCode: 14, errorSubCode: 0 })]));
    assert.equal(bench.targets.at(-1)?.host, '192.0.2.20');
  });

  it('follows a PDPRedirAddr of IPv6, and names such a PDP in LastPDPAddr (2.2.13, 2.2.14)', () => {
    const redirect = message(OP.CC, 1, [
      CopsError.make({ errorCode: 12, errorSubCode: 0 }),
      PdpRedirAddrIpv6.make({ address: '2001:db8::9', tcpPortNumber: 3288 }),
    ]);
    const bench = openPep().receive(redirect).connected().receive(CAT);
    ask(bench).receive(dec('01'));
    bench.run(2000).disconnected();
    bench.said();
    bench.connected();
    const opn = bench.sent[0] ?? assert.fail();
    assert.ok(opn.objects.some((object) => LastPdpAddrIpv6.is(object) && object.address === '2001:db8::9'));
  });

  describe('deletes for a PDP that may not have heard of them (2.5)', () => {
    /** Deletes handle 01 of two, then does `meanwhile`, then comes back. */
    const comeBack = (meanwhile: (bench: PepBench) => void): string[] => {
      const bench = ask(ask(openPep({ random: () => 0 })), { ...ASK, handle: '02' }).receive(
        dec('01'),
        dec('02'),
      );
      bench.perform(bench.pep.delete(0, '01'));
      meanwhile(bench);
      bench.run(2000).disconnected();
      bench.said();
      return bench.connected().receive(CAT).said();
    };
    const again = 'DRQ 1 Handle 01, Reason 4/0';

    it('are said again where nothing that came behind them was answered', () => {
      assert.ok(comeBack(() => undefined).includes(again));
      assert.ok(comeBack((bench) => bench.receive(message(OP.KA, 0))).includes(again));
    });

    it('are not where it was: TCP keeps the order', () => {
      assert.ok(!comeBack((bench) => bench.run(10_000).receive(message(OP.KA, 0))).includes(again));
      const answered = (bench: PepBench): unknown => ask(bench, { ...ASK, handle: '03' }).receive(dec('03'));
      assert.ok(!comeBack(answered).includes(again));
    });

    it('are said without LastPDPAddr where nothing else is cached (4.3)', () => {
      const bench = ask(openPep()).receive(dec('01')).run(2000).disconnected();
      bench.perform(bench.pep.delete(bench.now, '01'));
      bench.said();
      assert.deepEqual(bench.connected().receive(CAT).said(), ['OPN 1 PEPID pep-1', again]);
    });
  });

  it('tells the primary what it told a backup that it never was in sync with (2.5)', () => {
    const bench = ask(ask(openPep()), { ...ASK, handle: '02' })
      .receive(dec('01'), dec('02'))
      .run(2000);
    bench.disconnected().disconnected().connected('192.0.2.20').receive(CAT);
    ask(bench, { ...ASK, mType: 1 }).receive(dec('01', 2));
    bench.perform(bench.pep.delete(bench.now, '02'));
    bench.run(2000).disconnected();
    bench.said();
    assert.deepEqual(bench.connected('192.0.2.10').receive(CAT).said(), [
      'OPN 1 PEPID pep-1, LastPDPAddr 192.0.2.10/3288',
      'DRQ 1 Handle 02, Reason 4/0',
      'REQ 1 Handle 01, Context 1/1, Context 1/2, LPDPDecision 2/0',
    ]);
  });

  it('does not tell it once the backup has all (3.10)', () => {
    const bench = ask(openPep()).receive(dec('01')).run(2000);
    bench.disconnected().disconnected().connected('192.0.2.20').receive(CAT, SSQ, dec('01', 2));
    bench.run(2000).disconnected();
    bench.said();
    assert.deepEqual(bench.connected('192.0.2.10').receive(CAT).said(), [
      'OPN 1 PEPID pep-1, LastPDPAddr 192.0.2.20/3288',
    ]);
  });

  it('tells the next PDP what the LPDP decided and the last one could not (1.1)', () => {
    const bench = new PepBench({ lpdp: () => [{ command: 'install' }] });
    ask(bench).connected().receive(CAT, decError('01', 4)).run(2000).disconnected();
    bench.said();
    assert.deepEqual(bench.connected().receive(CAT).said(), [
      'OPN 1 PEPID pep-1',
      'REQ 1 Handle 01, Context 1/2, Context 1/2, LPDPDecision 1/0',
    ]);
  });

  it('deletes in answer to each of the reasons a decision gives: malformed 12, unknown object 13, unsupported 9 (2.2.5)', () => {
    const bodies = {
      '12/0': '0008 0101 00000001 0008 0201 0001 0002 0008 0601 0003 0000',
      '13/6.7': '0008 0101 00000001 0008 0201 0001 0002 0008 0601 0001 0000 0008 0607 00000000',
      '9/0': '0008 0101 00000001 0008 0201 0001 0002 0008 0601 0000 0000',
    };
    for (const [reason, body] of Object.entries(bodies)) {
      const octets = hex(`1102 0001 00000000 ${body}`);
      new DataView(octets.buffer).setUint32(4, octets.length);
      const bench = ask(openPep(), { ...ASK, handle: '00000001' });
      bench.said();
      bench.receive(octets);
      assert.deepEqual(bench.said(), [`DRQ 1 Handle 00000001, Reason ${reason}`]);
      assert.deepEqual(bench.pep.handles, []);
      // "After issuing a DRQ, the PEP may retry the corresponding Request again" (3.4).
      ask(bench, { ...ASK, handle: '00000001' });
      assert.equal(bench.said().length, 1);
    }
  });

  it('is told of a reason to end its requests in DRQ, with a sub-code (2.2.5)', () => {
    const ends: unknown[] = [];
    const bench = new PdpBench({ ended: (_, end) => ends.push(end) });
    bench.receive(
      OPN,
      req('01'),
      message(OP.DRQ, 1, [handle('01'), Reason.make({ reasonCode: 7, reasonSubCode: 42 })]),
    );
    assert.deepEqual(ends, [{ kind: 'deleted', reasonCode: 7, reasonSubCode: 42 }]);
  });
});

import assert from 'node:assert/strict';
import type { PepEffect, PepRequest } from '../index.js';
import {
  AcctTimer,
  Context,
  CopsError,
  DecisionFlags,
  DecisionStateless,
  ERROR,
  Handle,
  KaTimer,
  OP,
  PdpRedirAddrIpv4,
} from '../index.js';
import { hex, message, PepBench } from './support.js';
import { readJsonFixture } from '../../fixtures/index.js';

const CAT = message(OP.CAT, 1, [KaTimer.make({ kaTimerValue: 40 })]);
const SSQ = message(OP.SSQ, 1);
const handle = (text: string) => Handle.make({ handle: hex(text) });
const context = (rType = 1, mType = 2) => Context.make({ rType, mType });
const dec = (text: string, commandCode: number, flags = 1, rType = 1): Uint8Array =>
  message(OP.DEC, 1, [handle(text), context(rType), DecisionFlags.make({ commandCode, flags: 0 })], flags);
const cc = (errorCode: number): Uint8Array =>
  message(OP.CC, 1, [CopsError.make({ errorCode, errorSubCode: 0 })]);
const ASK: PepRequest = { handle: '01', rType: 1, mType: 2 };

function open(options: ConstructorParameters<typeof PepBench>[0] = {}): PepBench {
  const bench = new PepBench(options).connected().receive(CAT);
  bench.said();
  bench.told();
  return bench;
}
function ask(bench: PepBench, request: PepRequest): PepBench {
  return bench.perform(bench.pep.request(bench.now, request).effects);
}
const kinds = (effects: readonly PepEffect[]): string[] => effects.map((effect) => effect.kind);

describe('PEP', () => {
  it('connects to the primary and opens its client-type, without LastPDPAddr after a reboot (RFC 2748 4.3)', () => {
    const bench = new PepBench({ clientSi: hex('c0de') }).connected();
    assert.deepEqual(bench.targets, [{ host: '192.0.2.10' }]);
    assert.deepEqual(bench.said(), ['OPN 1 PEPID pep-1, ClientSI c0de']);
    bench.receive(
      message(OP.CAT, 1, [KaTimer.make({ kaTimerValue: 40 }), AcctTimer.make({ acctTimerValue: 60 })]),
    );
    assert.deepEqual(bench.told(), [
      { kind: 'opened', target: { host: '192.0.2.10' }, keepAlive: 40, accounting: 60 },
    ]);
  });

  it('sends a request and tells the decision (RFC 2748 4.4)', () => {
    const bench = open();
    ask(bench, {
      rType: 5,
      mType: 1,
      inInterface: { address: '192.0.2.1', ifindex: 3 },
      outInterface: { address: '2001:db8::1', ifindex: 4 },
      clientSi: [
        { kind: 'signaled', data: hex('01020304') },
        { kind: 'named', data: hex('05') },
      ],
    });
    assert.deepEqual(bench.said(), [
      'REQ 1 Handle 00000001, Context 5/1, IN-Int 192.0.2.1/3, OUT-Int 2001:db8::1/4, ClientSI 01020304, ClientSI 05',
    ]);
    bench.receive(dec('00000001', 1, 1, 5));
    assert.deepEqual(bench.told(), [
      {
        kind: 'decision',
        handle: '00000001',
        decisions: [{ command: 'install', context: { rType: 5, mType: 2 } }],
        source: 'pdp',
        solicited: true,
        reportDue: false,
      },
    ]);
  });

  it('has one request outstanding for a handle (RFC 2748 3.2)', () => {
    const bench = ask(open(), ASK);
    assert.throws(() => bench.pep.request(0, ASK), TypeError);
  });

  it('answers a refresh from its cache, and asks when the request has changed (RFC 2749 3.5)', () => {
    const bench = ask(open(), ASK).receive(dec('01', 1));
    bench.said();
    bench.told();
    ask(bench, ASK);
    assert.deepEqual(bench.said(), []);
    assert.deepEqual(
      bench.told().map((event) => event.kind === 'decision' && event.source),
      ['cache'],
    );
    ask(bench, { ...ASK, clientSi: [{ kind: 'signaled', data: hex('00') }] });
    assert.equal(bench.said().length, 1);
  });

  it('takes an unsolicited decision for some contexts and leaves the others as they were (RFC 2748 4.4)', () => {
    const both = message(
      OP.DEC,
      1,
      [
        handle('01'),
        context(1),
        DecisionFlags.make({ commandCode: 1, flags: 0 }),
        context(2),
        DecisionFlags.make({ commandCode: 1, flags: 0 }),
        DecisionStateless.make({ data: hex('0007') }),
      ],
      1,
    );
    const bench = ask(open(), { ...ASK, rType: 3 }).receive(both, dec('01', 2, 0, 2));
    assert.deepEqual(bench.pep.decisionsOf('01'), [
      { command: 'install', context: { rType: 1, mType: 2 } },
      { command: 'remove', context: { rType: 2, mType: 2 } },
    ]);
    const last = bench.told().at(-1);
    assert.ok(last?.kind === 'decision' && !last.solicited);
  });

  it('says that a configuration decision is to be reported (RFC 2748 3.3)', () => {
    const bench = ask(open(), { ...ASK, rType: 8 }).receive(dec('01', 1, 1, 8));
    const last = bench.told().at(-1);
    assert.ok(last?.kind === 'decision' && last.reportDue);
    bench.perform(bench.pep.report(0, '01', 'success'));
    assert.deepEqual(bench.said().slice(1), ['RPT+ 1 Handle 01, Report-Type 1']);
  });

  it('keeps accounting reports of a handle apart by the ACCT Timer (RFC 2748 3.7)', () => {
    const cat = message(OP.CAT, 1, [
      KaTimer.make({ kaTimerValue: 0 }),
      AcctTimer.make({ acctTimerValue: 60 }),
    ]);
    const bench = ask(new PepBench().connected().receive(cat), ASK).receive(dec('01', 1));
    bench.said();
    const report = (): PepBench =>
      bench.perform(
        bench.pep.report(bench.now, '01', 'accounting', { solicited: false, clientSi: hex('aa') }),
      );
    report();
    assert.deepEqual(bench.said(), ['RPT 1 Handle 01, Report-Type 3, ClientSI aa']);
    bench.run(59_999);
    assert.deepEqual(report().said(), []);
    bench.run(1);
    assert.equal(report().said().length, 1);
  });

  it('gives up waiting for a decision, and deletes the handle then (RFC 2748 3.2)', () => {
    const bench = ask(open({ limits: { requestTimeout: 3000 } }), ASK);
    bench.said();
    bench.run(2999);
    assert.deepEqual(bench.said(), []);
    bench.run(1);
    assert.deepEqual(bench.said(), ['DRQ 1 Handle 01, Reason 5/0']);
    assert.deepEqual(bench.told(), [{ kind: 'failed', handle: '01', failure: { kind: 'timeout' } }]);
    assert.deepEqual(bench.pep.handles, []);
  });

  it('deletes a request whose decision is malformed, or holds an unknown object, and says which (RFC 2748 3.4)', () => {
    const malformed = readJsonFixture('vectors/cops/malformed.json') as { id: string; hex: string }[];
    for (const [id, reason] of [
      ['m-dec-cmd-3', '12/0'],
      ['m-order-dec-before-ctx', '12/0'],
      ['m-dec-ctype-6', '13/6.6'],
    ]) {
      const bad = malformed.find((each) => each.id === id) ?? assert.fail(id);
      const bench = ask(open(), { ...ASK, handle: '00000001' });
      bench.said();
      bench.receive(hex(bad.hex));
      assert.deepEqual(bench.said(), [`DRQ 1 Handle 00000001, Reason ${reason}`]);
      assert.deepEqual(kinds(bench.told()), ['failed']);
      assert.deepEqual(bench.pep.handles, []);
    }
  });

  it('tells an error of the PDP, and keeps no request that was never decided', () => {
    const bench = ask(open(), ASK);
    bench.said();
    bench.receive(message(OP.DEC, 1, [handle('01'), CopsError.make({ errorCode: 5, errorSubCode: 0 })], 1));
    assert.deepEqual(bench.told(), [
      { kind: 'failed', handle: '01', failure: { kind: 'error', errorCode: 5, errorSubCode: 0 } },
    ]);
    assert.deepEqual(bench.said(), ['DRQ 1 Handle 01, Reason 1/0']);
  });

  it('asks again when the PDP does not know a handle that it reported on', () => {
    const bench = ask(open(), ASK).receive(dec('01', 1));
    bench.said();
    bench.receive(message(OP.DEC, 1, [handle('01'), CopsError.make({ errorCode: 2, errorSubCode: 0 })]));
    assert.deepEqual(bench.said(), ['REQ 1 Handle 01, Context 1/2, Context 1/2, LPDPDecision 1/0']);
  });

  it('answers a malformed Client-Accept with a Client-Close and tries the next PDP (RFC 2748 3.7)', () => {
    const bench = new PepBench().connected();
    bench.said();
    bench.receive(message(OP.CAT, 1, [AcctTimer.make({ acctTimerValue: 3 })]));
    assert.deepEqual(bench.said(), ['CC 1 Error 7/0']);
    assert.equal(bench.targets.at(-1)?.host, '192.0.2.20');
  });

  describe('keep-alive (RFC 2748 3.9, 4.6, 4.7)', () => {
    it('sends a KA at random within 1/4 and 3/4 of the interval, whatever else is said', () => {
      for (const [random, at] of [
        [0, 10_000],
        [0.5, 20_000],
        [0.999999, 29_999],
      ] as const) {
        const bench = open({ random: () => random });
        bench.run(at - 1);
        assert.deepEqual(bench.said(), []);
        bench.run(2);
        assert.deepEqual(bench.said(), ['KA 0']);
      }
    });

    it('gives up a PDP that was silent for the interval, saying so, and turns to the next', () => {
      const bench = open({ limits: { retryLeast: 100_000 } });
      bench.run(39_999);
      assert.equal(bench.targets.length, 1);
      bench.said();
      bench.run(1);
      assert.ok(bench.said().includes('CC 1 Error 9/0'));
      assert.deepEqual(kinds(bench.told()), ['disconnect', 'lost']);
      assert.equal(bench.targets.at(-1)?.host, '192.0.2.20');
    });

    it('takes any message for a sign of life', () => {
      const bench = open().run(30_000).receive(message(OP.KA, 0)).run(30_000);
      assert.equal(bench.targets.length, 1);
    });

    it('sends none where the KA Timer is 0', () => {
      const bench = new PepBench()
        .connected()
        .receive(message(OP.CAT, 1, [KaTimer.make({ kaTimerValue: 0 })]));
      bench.said();
      assert.deepEqual(bench.run(1e7).said(), []);
    });
  });

  describe('fail-over (RFC 2748 2.3)', () => {
    it('tries each PDP, then waits, longer each time up to a bound, and begins anew', () => {
      const bench = new PepBench({ random: () => 0, limits: { retryLeast: 1000, retryMost: 3000 } });
      const waits: number[] = [];
      for (let round = 0; round < 4; round++) {
        bench.disconnected().disconnected();
        const next = bench.pep.nextTimeout() ?? assert.fail();
        waits.push(next - bench.now);
        bench.run(next - bench.now);
      }
      assert.deepEqual(waits, [1000, 2000, 3000, 3000]);
      assert.deepEqual(bench.targets.map((target) => target.host).slice(0, 5), [
        '192.0.2.10',
        '192.0.2.20',
        '192.0.2.10',
        '192.0.2.20',
        '192.0.2.10',
      ]);
    });

    it('turns to the primary first after losing a connection that had worked', () => {
      const bench = new PepBench().disconnected().connected().receive(CAT).run(5000).disconnected();
      assert.deepEqual(
        bench.targets.map((target) => target.host),
        ['192.0.2.10', '192.0.2.20', '192.0.2.10'],
      );
    });

    it('does not hammer a PDP that accepts and closes at once', () => {
      const bench = open({ pdps: [{ host: '192.0.2.10' }] }).receive(cc(11));
      assert.equal(bench.targets.length, 1);
      assert.equal(bench.pep.phase, 'waiting');
    });

    it('gives up a PDP that does not answer the Client-Open', () => {
      const bench = new PepBench({ limits: { openTimeout: 2000 } }).connected().run(2000);
      assert.equal(bench.targets.length, 2);
    });

    it('follows PDPRedirAddr (RFC 2748 3.8), but not in circles', () => {
      const redirect = message(OP.CC, 1, [
        CopsError.make({ errorCode: 12, errorSubCode: 0 }),
        PdpRedirAddrIpv4.make({ address: '192.0.2.77', tcpPortNumber: 40_000 }),
      ]);
      const bench = new PepBench({ limits: { redirects: 3 } });
      for (let i = 0; i < 3; i++) {
        bench.connected().receive(redirect);
        assert.deepEqual(bench.targets.at(-1), { host: '192.0.2.77', port: 40_000 });
      }
      bench.connected().receive(redirect);
      assert.notEqual(bench.targets.at(-1)?.host, '192.0.2.77');
    });
  });

  describe('while no PDP can be reached (RFC 2748 2.5, RFC 2749 3.5)', () => {
    it('has requests decided by the LPDP, and tells the PDP what it decided', () => {
      const bench = new PepBench({ lpdp: () => [{ command: 'install', flags: 1 }] });
      ask(bench, ASK);
      assert.deepEqual(
        bench.told().map((event) => event.kind === 'decision' && event.source),
        ['lpdp'],
      );
      bench.connected().receive(CAT);
      assert.deepEqual(bench.said(), [
        'OPN 1 PEPID pep-1',
        'REQ 1 Handle 01, Context 1/2, Context 1/2, LPDPDecision 1/1',
      ]);
    });

    it('keeps requests without an LPDP for the PDP to come, until they run out of time', () => {
      const bench = ask(ask(new PepBench(), ASK), { ...ASK, handle: '02' });
      bench.perform(bench.pep.delete(0, '02'));
      bench.connected().receive(CAT);
      assert.deepEqual(bench.said(), ['OPN 1 PEPID pep-1', 'REQ 1 Handle 01, Context 1/2']);
      const late = ask(new PepBench({ limits: { requestTimeout: 700 } }), ASK).run(700);
      assert.deepEqual(late.told(), [{ kind: 'failed', handle: '01', failure: { kind: 'timeout' } }]);
      assert.deepEqual(late.said(), []);
    });

    it('still answers refreshes from its cache, but no changed request', () => {
      const bench = ask(open(), ASK).receive(dec('01', 1)).run(2000).disconnected();
      bench.told();
      ask(bench, ASK);
      assert.deepEqual(kinds(bench.told()), ['decision']);
      ask(bench, { ...ASK, mType: 1 });
      assert.deepEqual(kinds(bench.told()), []);
    });

    it('names the last PDP it was in sync with while it caches, deletes what was deleted, and synchronizes', () => {
      const bench = ask(ask(open(), ASK), { ...ASK, handle: '02' })
        .receive(dec('01', 1), dec('02', 2))
        .run(2000);
      bench.perform(bench.pep.report(bench.now, '01', 'success'));
      bench.disconnected();
      bench.perform(bench.pep.delete(bench.now, '02', 4));
      bench.said();
      bench.disconnected().connected().receive(CAT);
      assert.deepEqual(bench.said(), [
        'OPN 1 PEPID pep-1, LastPDPAddr 192.0.2.10/3288',
        'DRQ 1 Handle 02, Reason 4/0',
      ]);
      bench.receive(SSQ);
      assert.deepEqual(bench.said(), [
        'REQ 1 Handle 01, Context 1/2, Context 1/2, LPDPDecision 1/0',
        'SSC 1',
      ]);
      // Now it is in sync with the backup.
      bench.receive(dec('01', 1));
      bench.said();
      bench.run(2000).disconnected().connected();
      assert.deepEqual(bench.said(), ['OPN 1 PEPID pep-1, LastPDPAddr 192.0.2.20/3288']);
    });

    it('holds a report back until the new PDP knows the request', () => {
      const bench = ask(open(), ASK).receive(dec('01', 1)).run(2000).disconnected();
      bench.perform(bench.pep.report(bench.now, '01', 'success'));
      bench.disconnected().connected().receive(CAT, SSQ);
      assert.ok(!bench.said().some((line) => line.startsWith('RPT')));
      bench.receive(dec('01', 1));
      assert.deepEqual(bench.said(), ['RPT+ 1 Handle 01, Report-Type 1']);
    });

    it('reports success again to each PDP that decides Install again: billing must not hang on one message (RFC 2749 3.3, 3.5)', () => {
      const bench = ask(open(), ASK).receive(dec('01', 1)).run(2000);
      bench.perform(bench.pep.report(bench.now, '01', 'success'));
      bench.disconnected();
      bench.disconnected().connected().receive(CAT, SSQ);
      bench.said();
      bench.receive(dec('01', 1));
      assert.deepEqual(bench.said(), ['RPT+ 1 Handle 01, Report-Type 1']);
    });

    it('reports success again to the same PDP, which may not have read it, and asks again where it does not know the handle', () => {
      const bench = ask(open(), ASK).receive(dec('01', 1)).run(2000);
      bench.perform(bench.pep.report(bench.now, '01', 'success'));
      bench.disconnected().connected('192.0.2.10');
      bench.said();
      bench.receive(CAT);
      assert.deepEqual(bench.said(), ['RPT 1 Handle 01, Report-Type 1']);
      const unknown = CopsError.make({ errorCode: ERROR.invalidHandleReference, errorSubCode: 0 });
      bench.receive(message(OP.DEC, 1, [handle('01'), unknown]));
      bench.said();
      bench.receive(dec('01', 1));
      assert.deepEqual(bench.said(), ['RPT+ 1 Handle 01, Report-Type 1']);
    });

    it('does not repeat a success that the next PDP takes back, that a failure followed, or that was of another request', () => {
      const installed = (): PepBench => {
        const bench = ask(open(), ASK).receive(dec('01', 1)).run(2000);
        return bench.perform(bench.pep.report(bench.now, '01', 'success'));
      };
      const again = (bench: PepBench, command: number): string[] => {
        bench.disconnected().disconnected().connected().receive(CAT, SSQ).said();
        return bench.receive(dec('01', command)).said();
      };
      assert.deepEqual(again(installed(), 2), []);
      const failed = installed();
      failed.perform(failed.pep.report(failed.now, '01', 'failure'));
      assert.deepEqual(again(failed, 1), []);
      const changed = ask(installed(), { ...ASK, rType: 5 })
        .receive(dec('01', 1, 1, 5))
        .run(2000);
      assert.deepEqual(again(changed, 1), []);
    });

    it('asks the next PDP what the last one left unanswered', () => {
      const bench = ask(open({ limits: { requestTimeout: 20_000 } }), ASK)
        .run(2000)
        .disconnected();
      bench.said();
      bench.disconnected().connected().receive(CAT);
      assert.deepEqual(bench.said(), ['OPN 1 PEPID pep-1', 'REQ 1 Handle 01, Context 1/2']);
    });

    it('drops cached decisions after cacheTime, and no longer names a last PDP (RFC 2749 3.5)', () => {
      const bench = ask(open({ limits: { cacheTime: 157_500 } }), ASK)
        .receive(dec('01', 1))
        .run(2000)
        .disconnected();
      bench.told();
      const end = bench.now + 157_500;
      while (bench.now < end - 1) {
        bench.disconnected().run(Math.min(500, end - 1 - bench.now));
      }
      assert.deepEqual(bench.pep.handles, ['01']);
      bench.run(1);
      assert.deepEqual(bench.pep.handles, []);
      const failures = bench.told().filter((event) => event.kind === 'failed');
      assert.deepEqual(failures, [{ kind: 'failed', handle: '01', failure: { kind: 'purged' } }]);
      bench.said();
      if (bench.pep.phase !== 'connecting') bench.run(120_000);
      bench.connected();
      assert.deepEqual(bench.said(), ['OPN 1 PEPID pep-1']);
    });
  });

  describe('synchronization (RFC 2748 3.5)', () => {
    it('sends one handle again, and says when it is done with a handle in SSC', () => {
      const bench = ask(ask(open(), ASK), { ...ASK, handle: '02' }).receive(dec('01', 1), dec('02', 1));
      bench.said();
      bench.receive(message(OP.SSQ, 1, [handle('02')]));
      assert.deepEqual(bench.said(), [
        'REQ 1 Handle 02, Context 1/2, Context 1/2, LPDPDecision 1/0',
        'SSC 1 Handle 02',
      ]);
    });

    it('deletes a handle it does not know', () => {
      assert.deepEqual(
        open()
          .receive(message(OP.SSQ, 1, [handle('77')]))
          .said(),
        ['DRQ 1 Handle 77, Reason 10/0', 'SSC 1 Handle 77'],
      );
    });
  });

  it('closes its client-type when it goes, and fails what is pending', () => {
    const bench = ask(open(), ASK);
    bench.said();
    bench.perform(bench.pep.close(0));
    assert.deepEqual(bench.said(), ['CC 1 Error 11/0']);
    assert.deepEqual(kinds(bench.told()), ['disconnect', 'failed']);
    assert.equal(bench.pep.nextTimeout(), undefined);
  });

  it('leaves a PDP that sends what cannot be framed or belongs to a PEP, and lives on', () => {
    for (const bad of [
      '10020001 00000000',
      '10020001 80000000',
      '00020001 00000008',
      '1002 0001 00000009',
      '100b0001 00000008',
      '10010001 00000018 00080101 00000001 00080201 00010001',
    ]) {
      const bench = open().receive(hex(bad));
      assert.deepEqual(bench.said(), ['CC 1 Error 3/0']);
      assert.equal(bench.targets.length, 2);
    }
  });

  it('ignores a decision for a handle that it has deleted', () => {
    const bench = ask(open(), ASK);
    bench.perform(bench.pep.delete(0, '01'));
    bench.said();
    bench.told();
    bench.receive(dec('01', 1));
    assert.deepEqual([bench.said(), bench.told()], [[], []]);
  });
});

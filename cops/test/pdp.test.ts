import assert from 'node:assert/strict';
import type { ContextDecision, Decision, EndOfRequest, PdpRequest } from '../index.js';
import {
  Context,
  DecisionFlags,
  Handle,
  KaTimer,
  LastPdpAddrIpv4,
  OP,
  PepId,
  Reason,
  ReportType,
  SignaledClientSi,
  CopsError,
} from '../index.js';
import { brief, hex, message, PdpBench } from './support.js';

const OPN = message(OP.OPN, 1, [PepId.make({ pepId: 'pep-1' })]);
const KA = message(OP.KA, 0);
const handle = (text: string) => Handle.make({ handle: hex(text) });
const req = (text: string, rType = 1, mType = 2): Uint8Array =>
  message(OP.REQ, 1, [handle(text), Context.make({ rType, mType })]);
const drq = (text: string, reasonCode = 4): Uint8Array =>
  message(OP.DRQ, 1, [handle(text), Reason.make({ reasonCode, reasonSubCode: 0 })]);
const rpt = (text: string, reportType = 1): Uint8Array =>
  message(OP.RPT, 1, [handle(text), ReportType.make({ reportType })], 1);

describe('PDP', () => {
  it('accepts a client-type it supports and says its KA and ACCT timers (RFC 2748 3.7)', () => {
    const bench = new PdpBench({ keepAlive: 40, accounting: 60 }).receive(OPN);
    assert.deepEqual(bench.said(), ['CAT 1 KATimer 40, AcctTimer 60']);
  });

  it('closes a client-type it does not support, and accepts another on the same connection (RFC 2748 4.3)', () => {
    const bench = new PdpBench().receive(message(OP.OPN, 2, [PepId.make({ pepId: 'pep-1' })]), OPN);
    assert.deepEqual(bench.said(), ['CC 2 Error 6/0', 'CAT 1 KATimer 30']);
    assert.equal(bench.isClosed, false);
  });

  it('accepts a second Client-Open of the same PEP and keeps its requests (RFC 2748 3.6)', () => {
    const bench = new PdpBench().receive(OPN, req('01'), OPN);
    assert.equal(bench.said().length, 3);
    assert.equal(bench.pdp.find('pep-1', '01').length, 1);
  });

  it('refuses a Client-Open under another name on the same connection', () => {
    const bench = new PdpBench().receive(OPN, message(OP.OPN, 1, [PepId.make({ pepId: 'pep-2' })]));
    assert.deepEqual(bench.said().slice(1), ['CC 1 Error 3/0']);
  });

  it('answers a request with a solicited decision for its context (RFC 2748 3.2)', () => {
    const bench = new PdpBench().receive(OPN, req('0a0b', 5, 1));
    assert.deepEqual(bench.said().slice(1), ['DEC+ 1 Handle 0a0b, Context 5/1, Decision 1/0']);
  });

  it('groups the objects of a decision by context, Flags first, in the order of the grammar (RFC 2748 3.2)', () => {
    const decisions: ContextDecision[] = [
      { command: 'install', context: { rType: 1, mType: 2 } },
      {
        command: 'remove',
        flags: 1,
        context: { rType: 4, mType: 2 },
        named: hex('05'),
        clientSpecific: hex('04'),
        replacement: hex('03'),
        stateless: hex('02'),
      },
    ];
    const bench = new PdpBench({ decide: () => decisions }).receive(OPN, req('01', 5));
    assert.deepEqual(bench.said().slice(1), [
      'DEC+ 1 Handle 01, Context 1/2, Decision 1/0, Context 4/2, Decision 2/1, Decision 02, Decision 03, Decision 04, Decision 05',
    ]);
  });

  it('gives `decide` what the request holds', () => {
    let seen: PdpRequest | undefined;
    const bench = new PdpBench({
      decide: (request) => {
        seen = request;
        return { command: 'install' };
      },
    });
    // Vectors req-in6-out6 and rfc-req-multi-lpdp in one.
    bench.receive(
      OPN,
      hex(
        '1001 0001 00000070 0008 0101 00000007 0008 0201 0003 0002' +
          '0018 0302 20010db8000000000000000000000001 00000004 000c 0401 c63364fe 7fffffff' +
          '0009 0901 0102030405 000000 0008 0902 aabbccdd' +
          '0008 0201 0001 0001 0008 0701 0001 0000 0008 0201 0004 0001 0008 0701 0002 0001',
      ),
    );
    assert.ok(seen);
    assert.equal(seen.pepId, 'pep-1');
    assert.equal(seen.handle, '00000007');
    assert.deepEqual(seen.context, { rType: 3, mType: 2 });
    assert.equal(seen.inInterface?.address, '2001:db8::1');
    assert.equal(seen.inInterface.ifindex, 4);
    assert.equal(seen.outInterface?.address, '198.51.100.254');
    assert.deepEqual(
      seen.clientSi.map(({ kind, data }) => [kind, Buffer.from(data).toString('hex')]),
      [
        ['signaled', '0102030405'],
        ['named', 'aabbccdd'],
      ],
    );
    assert.deepEqual(seen.lpdpDecisions, [
      { command: 'install', context: { rType: 1, mType: 1 } },
      { command: 'remove', flags: 1, context: { rType: 4, mType: 1 } },
    ]);
    assert.equal(seen.isUpdate, false);
  });

  it('answers requests of one handle in their order, though the first takes longest (RFC 2748 3.2)', async () => {
    const answers: ((decision: Decision) => void)[] = [];
    const bench = new PdpBench({ decide: () => new Promise<Decision>((resolve) => answers.push(resolve)) });
    bench.receive(OPN, req('01', 1), req('01', 2), req('02', 4));
    assert.equal(answers.length, 2, 'the second request for handle 01 waits');
    const settle = async (index: number, decision: Decision): Promise<void> => {
      answers[index]?.(decision);
      for (const effect of bench.effects.splice(0)) {
        assert.equal(effect.kind, 'await');
        void effect.decision.then((is) =>
          bench.perform(effect.connection.answer(bench.now, effect.request, is)),
        );
      }
      await new Promise((resolve) => setImmediate(resolve));
    };
    bench.said();
    await settle(1, { command: 'remove' });
    await settle(0, { command: 'install' });
    await settle(2, { command: 'install' });
    assert.deepEqual(bench.said(), [
      'DEC+ 1 Handle 02, Context 4/2, Decision 2/0',
      'DEC+ 1 Handle 01, Context 1/2, Decision 1/0',
      'DEC+ 1 Handle 01, Context 2/2, Decision 1/0',
    ]);
  });

  it('says "Unable to process" when `decide` throws or decides nonsense, and goes on', () => {
    const errors: unknown[] = [];
    const decisions: (() => Decision)[] = [
      () => {
        throw new Error('out of order');
      },
      () => ({ command: 'maybe' }) as never,
      () => [],
      () => ({ command: 'install' }),
    ];
    const bench = new PdpBench({
      decide: () => decisions.shift()?.() ?? assert.fail(),
      failed: (error) => errors.push(error),
    });
    bench.receive(OPN, req('01'), req('02'), req('03'), req('04'));
    assert.deepEqual(bench.said().slice(1), [
      'DEC+ 1 Handle 01, Error 4/0',
      'DEC+ 1 Handle 02, Error 4/0',
      'DEC+ 1 Handle 03, Error 4/0',
      'DEC+ 1 Handle 04, Context 1/2, Decision 1/0',
    ]);
    assert.equal(errors.length, 3);
  });

  it('passes on an error that `decide` answers with, as RFC 2749 2.3 asks where objects are missing', () => {
    const bench = new PdpBench({ decide: () => ({ errorCode: 5 }) }).receive(OPN, req('01'));
    assert.deepEqual(bench.said().slice(1), ['DEC+ 1 Handle 01, Error 5/0']);
  });

  it('tells of reports and deletes, and forgets a deleted handle (RFC 2748 3.3, 3.4)', () => {
    const log: string[] = [];
    const bench = new PdpBench({
      reported: (request, report) => log.push(`${request.handle} ${report.type} ${report.solicited}`),
      ended: (request, end) => log.push(`${request.handle} ${JSON.stringify(end)}`),
    });
    bench.receive(OPN, req('01'), rpt('01'), drq('01', 3), rpt('01'), drq('01'));
    assert.deepEqual(log, ['01 success true', '01 {"kind":"deleted","reasonCode":3,"reasonSubCode":0}']);
    // A report on what is no longer there has an answer; deleting it twice is no mistake (RFC 2748 2.5).
    assert.deepEqual(bench.said().slice(2), ['DEC 1 Handle 01, Error 2/0']);
    assert.equal(bench.pdp.stateOctets, 0);
  });

  it('tells the end of a request only when its decision is no longer pending', async () => {
    const log: string[] = [];
    let answer: (decision: Decision) => void = () => undefined;
    const bench = new PdpBench({
      decide: () => new Promise<Decision>((resolve) => (answer = resolve)),
      ended: (request) => log.push(`ended ${request.handle}`),
    });
    bench.receive(OPN, req('01'), drq('01'));
    assert.deepEqual(log, []);
    const [effect] = bench.effects.splice(0);
    assert.ok(effect?.kind === 'await');
    answer({ command: 'install' });
    bench.said();
    bench.perform(effect.connection.answer(bench.now, effect.request, await effect.decision));
    assert.deepEqual(log, ['ended 01']);
    assert.deepEqual(bench.said(), [], 'a deleted handle gets no decision');
  });

  it('sends an unsolicited decision, and merges it with what was decided for the other contexts (RFC 2748 4.4)', () => {
    const bench = new PdpBench({
      decide: () => [
        { command: 'install', context: { rType: 1, mType: 2 } },
        { command: 'install', context: { rType: 2, mType: 2 } },
      ],
    }).receive(OPN, req('01', 3));
    bench.said();
    const [request] = bench.pdp.find('pep-1', '01');
    assert.ok(request);
    bench.perform(bench.pdp.revise(0, request, { command: 'remove', context: { rType: 2, mType: 2 } }));
    assert.deepEqual(bench.said(), ['DEC 1 Handle 01, Context 2/2, Decision 2/0']);
    assert.deepEqual(
      request.installed?.map((each) => each.command),
      ['install', 'remove'],
    );
  });

  it('may be called back from a hook, and keeps the order of what it sends', () => {
    const bench: PdpBench = new PdpBench({
      reported: (request) => {
        assert.deepEqual(bench.pdp.revise(0, request, { command: 'remove' }), []);
      },
    });
    bench.receive(OPN, req('01'), rpt('01'), req('02'));
    assert.deepEqual(bench.said().slice(1), [
      'DEC+ 1 Handle 01, Context 1/2, Decision 1/0',
      'DEC 1 Handle 01, Context 1/2, Decision 2/0',
      'DEC+ 1 Handle 02, Context 1/2, Decision 1/0',
    ]);
  });

  describe('keep-alive (RFC 2748 3.9, 4.6)', () => {
    it('echoes each KA', () => assert.deepEqual(new PdpBench().receive(OPN, KA).said().slice(1), ['KA 0']));

    it('gives up a PEP that was silent for the KA interval, saying "Communication Failure"', () => {
      const bench = new PdpBench({ keepAlive: 20 }).receive(OPN);
      bench.said();
      bench.run(19_999);
      assert.equal(bench.isClosed, false);
      bench.run(1);
      assert.deepEqual(bench.said(), ['CC 1 Error 9/0']);
      assert.equal(bench.isClosed, true);
    });

    it('counts any whole message as a sign of life, and pieces of one as none', () => {
      const bench = new PdpBench({ keepAlive: 20 }).receive(OPN).run(15_000).receive(req('01')).run(15_000);
      assert.equal(bench.isClosed, false);
      bench.receive(KA.subarray(0, 4)).run(5000);
      assert.equal(bench.isClosed, true);
    });

    it('waits for ever where the KA Timer is 0 (RFC 2748 2.2.10)', () => {
      assert.equal(new PdpBench({ keepAlive: 0 }).receive(OPN).run(1e9).isClosed, false);
    });
  });

  it('cuts off a peer that opens nothing, and one that does not complete a message', () => {
    assert.equal(new PdpBench({ limits: { openTimeout: 1000 } }).run(999).isClosed, false);
    assert.equal(new PdpBench({ limits: { openTimeout: 1000 } }).run(1000).isClosed, true);
    const slow = new PdpBench({ keepAlive: 0, limits: { messageTimeout: 500 } }).receive(
      OPN,
      KA.subarray(0, 7),
    );
    assert.equal(slow.run(499).isClosed, false);
    assert.equal(slow.run(1).isClosed, true);
  });

  it('cuts off a peer that takes nothing, and one for whom too much waits', () => {
    const stalled = new PdpBench({ limits: { stallTimeout: 1000, unsentOctets: 5000 } }).receive(OPN);
    stalled.perform(stalled.connection.blocked(stalled.now, 4000)).run(999);
    assert.equal(stalled.isClosed, false);
    assert.equal(stalled.run(1).isClosed, true);
    const full = new PdpBench({ limits: { unsentOctets: 5000 } }).receive(OPN);
    assert.equal(full.perform(full.connection.blocked(full.now, 5001)).isClosed, true);
  });

  it('reads no further while too many decisions are pending, and goes on later', () => {
    const bench = new PdpBench({
      decide: () => new Promise<Decision>(() => undefined),
      limits: { pending: 2 },
    });
    bench.receive(OPN, req('01'), req('02'), req('03'), req('04'));
    const kinds = (): string[] => bench.effects.map((effect) => effect.kind);
    assert.deepEqual(kinds(), ['await', 'await', 'pause']);
    bench.said();
    for (const effect of bench.effects.splice(0)) {
      if (effect.kind === 'await')
        bench.perform(effect.connection.answer(0, effect.request, { command: 'install' }));
    }
    assert.deepEqual(
      bench.said().map((line) => line.slice(0, 16)),
      ['DEC+ 1 Handle 01', 'DEC+ 1 Handle 02'],
    );
    assert.ok(kinds().includes('resume'));
    assert.equal(kinds().filter((kind) => kind === 'await').length, 2);
  });

  it('bounds handles and octets of state; beyond, it is unable to process', () => {
    const few = new PdpBench({ limits: { handles: 1 } }).receive(OPN, req('01'), req('02'), req('01'));
    assert.deepEqual(few.said().slice(2), [
      'DEC+ 1 Handle 02, Error 4/0',
      'DEC+ 1 Handle 01, Context 1/2, Decision 1/0',
    ]);
    const small = new PdpBench({ limits: { stateOctets: 50 } }).receive(
      OPN,
      req('00000001'),
      req('00000002'),
      req('00000003'),
    );
    assert.deepEqual(
      small
        .said()
        .slice(1)
        .map((line) => line.slice(24, 31)),
      ['Context', 'Context', 'Error 4'],
    );
    assert.equal(small.pdp.stateOctets, 48);
  });

  it('refuses a handle without octets as a bad handle', () => {
    assert.deepEqual(new PdpBench().receive(OPN, req('')).said().slice(1), ['DEC+ 1 Handle , Error 1/0']);
  });

  it('tells handles apart octet for octet (RFC 2748 2.2.1)', () => {
    const bench = new PdpBench().receive(
      OPN,
      ...['01', '0100', '00000001', '01000000', '0000000001'].map((text) => req(text)),
    );
    assert.equal(bench.said().length, 6);
    assert.equal([...bench.pdp.sessions()][0]?.states.size, 5);
  });

  describe('synchronization (RFC 2748 2.5, 3.5)', () => {
    const cached = message(OP.OPN, 1, [
      PepId.make({ pepId: 'pep-1' }),
      LastPdpAddrIpv4.make({ address: '192.0.2.10', tcpPortNumber: 3288 }),
    ]);
    const SSC = message(OP.SSC, 1);

    it('asks a PEP that caches decisions for its state; one that does not is not asked', () => {
      assert.deepEqual(new PdpBench().receive(cached).said(), ['CAT 1 KATimer 30', 'SSQ 1']);
      assert.deepEqual(new PdpBench().receive(OPN).said(), ['CAT 1 KATimer 30']);
    });

    it('keeps states of a lost PEP for a while, gives them back, and ends those not asked for again', () => {
      const ends: [string, EndOfRequest['kind']][] = [];
      const synchronized: string[] = [];
      const bench = new PdpBench({
        addresses: [{ address: '192.0.2.10', port: 3288 }],
        ended: (request, end) => ends.push([request.handle, end.kind]),
        synchronized: (session) => synchronized.push(session.pepId),
      });
      bench.receive(OPN, req('01'), req('02'));
      bench.perform(bench.connection.disconnected(5000, 'gone'));
      const again = bench.pdp.connect(6000, { address: '192.0.2.1', port: 2 }) ?? assert.fail();
      bench.said();
      bench.perform(again.receive(6000, cached));
      assert.deepEqual(bench.said(), ['CAT 1 KATimer 30', 'SSQ 1']);
      bench.perform(again.receive(6000, Buffer.concat([req('02'), SSC])));
      assert.deepEqual(ends, [['01', 'resynchronized']]);
      assert.deepEqual(synchronized, ['pep-1']);
      assert.equal(bench.pdp.find('pep-1', '02')[0]?.isUpdate, true);
    });

    it('does not ask where all is still here, if so configured', () => {
      const bench = new PdpBench({
        addresses: [{ address: '192.0.2.10', port: 3288 }],
        synchronize: 'missing',
      });
      bench.receive(OPN, req('01'));
      bench.perform(bench.connection.disconnected(0, 'gone'));
      const again = bench.pdp.connect(0, { address: '192.0.2.1', port: 2 }) ?? assert.fail();
      bench.said();
      bench.perform(again.receive(0, cached));
      assert.deepEqual(bench.said(), ['CAT 1 KATimer 30']);
      assert.equal(bench.pdp.find('pep-1', '01').length, 1);
    });

    it('ends the states of a PEP that comes back without any, and of one that stays away', () => {
      for (const back of [true, false]) {
        const ends: string[] = [];
        const bench = new PdpBench({
          limits: { stateRetention: 30_000 },
          ended: (_, end) => ends.push(end.kind),
        });
        bench.receive(OPN, req('01'));
        bench.perform(bench.connection.disconnected(0, 'gone'));
        if (back) bench.pdp.connect(0, { address: '192.0.2.1', port: 2 })?.receive(0, OPN);
        else bench.run(29_999);
        assert.deepEqual(ends, back ? ['lost'] : []);
        bench.run(1);
        assert.deepEqual(ends, ['lost']);
        assert.equal(bench.pdp.stateOctets, 0);
      }
    });

    it('asks for one handle, and hears that it is synchronized (RFC 2748 3.10)', () => {
      const heard: string[] = [];
      const bench = new PdpBench({ synchronized: (_, request) => heard.push(request?.handle ?? 'all') });
      bench.receive(OPN, req('01'));
      bench.said();
      const [request] = bench.pdp.find('pep-1', '01');
      bench.perform(bench.pdp.synchronizeRequest(0, request ?? assert.fail()));
      assert.deepEqual(bench.said(), ['SSQ 1 Handle 01']);
      bench.receive(req('01'), message(OP.SSC, 1, [handle('01')]));
      assert.deepEqual(heard, ['01']);
    });
  });

  it('closes every client-type when it shuts down, and may name another PDP (RFC 2748 4.7)', () => {
    const bench = new PdpBench({ clientTypes: [1, 2] });
    bench.receive(OPN, message(OP.OPN, 2, [PepId.make({ pepId: 'pep-1' })]));
    bench.said();
    bench.perform(bench.pdp.shutDown(0, { address: '192.0.2.20', port: 3288 }));
    assert.deepEqual(bench.said(), [
      'CC 1 Error 11/0, PDPRedirAddr 192.0.2.20/3288',
      'CC 2 Error 11/0, PDPRedirAddr 192.0.2.20/3288',
    ]);
    assert.equal(bench.isClosed, true);
    assert.equal(bench.pdp.connections.size, 0);
  });

  it('ends the requests of a client-type that the PEP closes, and answers for it no more', () => {
    const ends: unknown[] = [];
    const bench = new PdpBench({ ended: (_, end) => ends.push(end) });
    bench.receive(
      OPN,
      req('01'),
      message(OP.CC, 1, [CopsError.make({ errorCode: 8, errorSubCode: 0 })]),
      req('02'),
    );
    assert.deepEqual(ends, [{ kind: 'closed', errorCode: 8 }]);
    assert.deepEqual(bench.said().slice(2), ['CC 1 Error 6/0']);
  });

  it('closes a client-type whose PEP plays the PDP, and the connection with the last one', () => {
    const dec = message(OP.DEC, 1, [
      handle('01'),
      Context.make({ rType: 1, mType: 1 }),
      DecisionFlags.make({ commandCode: 1, flags: 0 }),
    ]);
    const bench = new PdpBench().receive(OPN, dec, KA);
    assert.deepEqual(bench.said().slice(1), ['CC 1 Error 3/0']);
    assert.equal(bench.isClosed, true);
    const other = new PdpBench({ clientTypes: [1, 2] });
    other.receive(OPN, message(OP.OPN, 2, [PepId.make({ pepId: 'pep-1' })]), dec, KA);
    assert.deepEqual(other.said().slice(2), ['CC 1 Error 3/0', 'KA 0']);
  });

  it('reads the same however the octets are cut', () => {
    const stream = Buffer.concat([
      OPN,
      req('01'),
      KA,
      message(OP.REQ, 1, [
        handle('02'),
        Context.make({ rType: 1, mType: 1 }),
        SignaledClientSi.make({ data: new Uint8Array(3000) }),
      ]),
    ]);
    const whole = new PdpBench().receive(stream).said();
    assert.equal(whole.length, 4);
    for (const size of [1, 2, 3, 7, 8, 9, 64, 1000]) {
      const bench = new PdpBench();
      for (let at = 0; at < stream.length; at += size) bench.receive(stream.subarray(at, at + size));
      assert.deepEqual(bench.said(), whole);
    }
  });

  it('keeps no more of a message than has come, whatever its length claims', () => {
    const bench = new PdpBench().receive(OPN);
    const before = process.memoryUsage().arrayBuffers;
    const claims = Array.from({ length: 200 }, () => {
      const connection = bench.pdp.connect(0, { address: '192.0.2.1', port: 1 });
      connection?.receive(0, hex('10010001 0001fffc 0008 0101'));
      return connection;
    });
    assert.ok(process.memoryUsage().arrayBuffers - before < 200 * 4096);
    assert.equal(claims.length, 200);
  });

  it('prints its messages in brief', () => {
    // Guards the helper that the other tests read by.
    assert.equal(
      brief({
        type: 'KA',
        opCode: 9,
        version: 1,
        flags: 1,
        solicited: true,
        clientType: 0,
        length: 8,
        objects: [KaTimer.make({ kaTimerValue: 7 })],
      }),
      'KA+ 0 KATimer 7',
    );
  });
});

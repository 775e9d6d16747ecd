import assert from 'node:assert/strict';
import { FilterSpecIpv4, RsvpHopIpv4, SenderTemplateIpv4, SessionIpv4 } from '../../rsvp/wire/index.js';
import type { WireObject } from '../../rsvp/wire/object.js';
import { COPS, Context, Handle, OP, PepId, REASON, rsvpObjects, rsvpOctets } from '../index.js';
import type { ContextDecision, Decision, PdpRequest, PepRequest } from '../index.js';
import { PepClient, PdpServer } from '../io/index.js';
import { toHex } from '../../rsvp/wire/octets.js';
import { hex, message, PdpBench, until } from './support.js';

const IN = 1;
const ALLOCATION = 2;
const OUT = 4;
const PATH = 1;
const RESV = 2;
const RESV_ERR = 4;

/** POLICY_DATA objects (RFC 2750) and policy elements, as octets: COPS does not look inside. */
const POLICY_DATA = [1, 2, 3].map((n) => hex(`000c 0e01 0004 0000 0000 000${n}`));
/** PREEMPTION_PRI (RFC 3181): a policy element with the priority. */
const priority = (value: number): Uint8Array => hex(`000c 0003 0000 0000 000${value} 0000`);

const session = SessionIpv4.make({ destAddress: '224.1.1.1', protocolId: 17, flags: 0, dstPort: 5000 });
const hop = (address: string): WireObject =>
  RsvpHopIpv4.make({ hopAddress: address, logicalInterfaceHandle: 1 });
const signaled = (...objects: readonly WireObject[]) => [
  { kind: 'signaled' as const, data: rsvpOctets(objects) },
];

/** A router and a PDP on loopback; `rules` say what the PDP decides, by handle. */
async function scene(
  rules: Readonly<Record<string, Decision | Decision[]>>,
  run: (scene: Scene) => Promise<void>,
) {
  const log: string[] = [];
  const requests: PdpRequest[] = [];
  const server = new PdpServer({
    decide: (request) => {
      requests.push(request);
      log.push(`REQ ${request.handle} ${request.rType}/${request.mType}`);
      const rule = rules[request.handle];
      const decision = Array.isArray(rule) && Array.isArray(rule[0]) ? rule.shift() : rule;
      return (decision as Decision | undefined) ?? { command: 'remove' };
    },
    reported: (request, report) => log.push(`RPT ${request.handle} ${report.type}`),
    ended: (request, end) =>
      log.push(end.kind === 'deleted' ? `DRQ ${request.handle} ${end.reasonCode}` : end.kind),
    failed: (error) => log.push(`failed: ${String(error)}`),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const pep = new PepClient({ pdps: [{ host: '127.0.0.1', port }], pepId: 'router' });
  try {
    await run({ server, pep, log, requests });
  } finally {
    await pep.close();
    await server.close();
  }
}

interface Scene {
  readonly server: PdpServer;
  readonly pep: PepClient;
  readonly log: string[];
  readonly requests: PdpRequest[];
}

const install = (rType: number, mType: number, more: Partial<ContextDecision> = {}): ContextDecision => ({
  command: 'install',
  context: { rType, mType },
  ...more,
});
/** Octets as hex, so that decisions compare by value. */
const plain = (decisions: readonly ContextDecision[]): unknown[] =>
  decisions.map((each) =>
    Object.fromEntries(
      Object.entries(each).map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value]),
    ),
  );

describe('RFC 2749 2 and 3: contexts and commands of RSVP', () => {
  const RSVP = PepId.make({ pepId: 'router' });
  const ask = (rType: number, mType: number, clientType = 1): string | undefined => {
    const bench = new PdpBench({ clientTypes: [1, 2] }).receive(
      message(OP.OPN, clientType, [RSVP]),
      message(OP.REQ, clientType, [Handle.make({ handle: hex('01') }), Context.make({ rType, mType })]),
    );
    assert.equal(bench.isClosed, false);
    return bench.said()[1];
  };

  it('Path, Resv, PathErr and ResvErr are decided, each step alone (2.2)', () => {
    for (const mType of [PATH, RESV, 3, RESV_ERR])
      for (const rType of [IN, OUT])
        assert.equal(ask(rType, mType), `DEC+ 1 Handle 01, Context ${rType}/${mType}, Decision 1/0`);
    assert.match(ask(ALLOCATION, RESV) ?? '', /Decision 1/);
  });

  it('the combinations of 3.6 (a), and the one of 5.1, are decided', () => {
    for (const [rType, mType] of [
      [IN | ALLOCATION | OUT, RESV],
      [IN | ALLOCATION, RESV],
      [IN | OUT, PATH],
    ] as const)
      assert.match(ask(rType, mType) ?? '', /Decision 1/);
  });

  it('all else is an Error and leaves no state: other messages, configuration, allocation for other than Resv', () => {
    const excluded = [
      ...[0, 5, 6, 7, 8, 12, 0xffff].map((mType) => [IN, mType]),
      ...[8, 9, 10, 15].map((rType) => [rType, RESV]),
      ...[PATH, 3, RESV_ERR].map((mType) => [ALLOCATION, mType]),
      [IN | ALLOCATION, PATH],
      [ALLOCATION | OUT, RESV],
    ] as [number, number][];
    for (const [rType, mType] of excluded)
      assert.equal(ask(rType, mType), 'DEC+ 1 Handle 01, Error 4/0', `${rType}/${mType}`);
    const bench = new PdpBench().receive(
      message(OP.OPN, 1, [RSVP]),
      message(OP.REQ, 1, [Handle.make({ handle: hex('01') }), Context.make({ rType: IN, mType: 5 })]),
    );
    assert.equal(bench.pdp.find('router', '01').length, 0);
    assert.equal(bench.pdp.stateOctets, 0);
  });

  it('an update with such a context leaves the request as it was', () => {
    const bench = new PdpBench().receive(
      message(OP.OPN, 1, [RSVP]),
      ...[RESV, 6].map((mType) =>
        message(OP.REQ, 1, [Handle.make({ handle: hex('01') }), Context.make({ rType: IN, mType })]),
      ),
    );
    assert.equal(bench.said()[2], 'DEC+ 1 Handle 01, Error 4/0');
    assert.equal(bench.pdp.find('router', '01')[0]?.mType, RESV);
  });

  it('other client-types have contexts of their own', () => {
    assert.equal(ask(8, 77, 2), 'DEC+ 2 Handle 01, Context 8/77, Decision 1/0');
  });

  it('a NULL Decision is none of the two commands of RSVP: the PDP does not say it (2.4)', () => {
    const errors: unknown[] = [];
    const say = (clientType: number): string[] =>
      new PdpBench({
        clientTypes: [1, 2],
        decide: () => ({ command: 'null' }),
        failed: (error) => errors.push(error),
      })
        .receive(
          message(OP.OPN, clientType, [RSVP]),
          message(OP.REQ, clientType, [
            Handle.make({ handle: hex('01') }),
            Context.make({ rType: IN, mType: PATH }),
          ]),
        )
        .said();
    assert.equal(say(1)[1], 'DEC+ 1 Handle 01, Error 4/0');
    assert.equal(errors.length, 1);
    assert.equal(say(2)[1], 'DEC+ 2 Handle 01, Context 1/1, Decision 0/0');
  });
});

describe('RFC 2749 5, over loopback TCP', () => {
  it('5.1: a unicast flow, from its Path and Resv to preemption and time-out', async () => {
    const [handleA, handleB] = ['0000000a', '0000000b'];
    const forPath = [install(IN | OUT, PATH)];
    const forResv = [
      install(IN, RESV),
      install(ALLOCATION, RESV, { stateless: priority(7) }),
      install(OUT, RESV, { replacement: POLICY_DATA[0] ?? assert.fail() }),
    ];
    await scene({ [handleA]: forPath, [handleB]: forResv }, async ({ server, pep, log, requests }) => {
      const sender = SenderTemplateIpv4.make({ srcAddress: '10.0.2.1', srcPort: 5001 });
      const pathObjects = [session, hop('10.0.2.1'), sender];
      const if1 = { address: '10.0.1.1', ifindex: 1 };
      const if2 = { address: '10.0.2.1', ifindex: 2 };
      const path = await pep.request({
        handle: handleA,
        rType: IN | OUT,
        mType: PATH,
        inInterface: if2,
        outInterface: if1,
        clientSi: signaled(...pathObjects),
      });
      assert.deepEqual(path.decisions, forPath);
      // The PDP has seen all objects of the Path message, and where it came from and goes to.
      const seen = requests[0] ?? assert.fail();
      assert.deepEqual([seen.inInterface?.ifindex, seen.outInterface?.ifindex], [2, 1]);
      const contents = rsvpObjects(seen.clientSi[0]?.data ?? assert.fail());
      assert.deepEqual(
        contents.map((object) => object.classNum),
        [1, 3, 11],
      );
      assert.match(COPS.text(seen.message), /224\.1\.1\.1/);

      const resv = await pep.request({
        handle: handleB,
        rType: IN | ALLOCATION | OUT,
        mType: RESV,
        inInterface: if1,
        outInterface: if2,
        clientSi: signaled(session, hop('10.0.1.1')),
      });
      assert.deepEqual(plain(resv.decisions), plain(forResv));
      pep.report(handleB, 'success');
      await until(() => log.includes(`RPT ${handleB} success`));

      // "Time Passes, the PDP changes its decision".
      const changed = new Promise((resolve) => pep.once('decision', resolve));
      assert.equal(
        server.revise('router', handleB, [install(ALLOCATION, RESV, { stateless: priority(3) })]),
        1,
      );
      await changed;
      assert.deepEqual(
        plain(pep.pep.decisionsOf(handleB) ?? []),
        plain([
          install(IN, RESV),
          install(OUT, RESV, { replacement: POLICY_DATA[0] ?? assert.fail() }),
          install(ALLOCATION, RESV, { stateless: priority(3) }),
        ]),
      );
      pep.delete(handleB, REASON.preempted);
      pep.delete(handleA, REASON.timeout);
      await until(() => log.includes(`DRQ ${handleA} 5`));
      assert.deepEqual(log, [
        `REQ ${handleA} 5/1`,
        `REQ ${handleB} 7/2`,
        `RPT ${handleB} success`,
        `DRQ ${handleB} 3`,
        `DRQ ${handleA} 5`,
      ]);
    });
  });

  it('5.2: shared multicast flows, with an updated handle and an error on its way down', async () => {
    const rules = {
      a1: [install(IN, PATH)],
      b1: [install(OUT, PATH, { replacement: POLICY_DATA[0] ?? assert.fail() })],
      b2: [install(OUT, PATH)],
      c1: [
        [install(IN, RESV), install(ALLOCATION, RESV, { stateless: priority(5) })],
        [install(IN, RESV)],
      ] as Decision[],
      e1: [install(OUT, RESV, { replacement: POLICY_DATA[1] ?? assert.fail() })],
      f1: [install(IN, RESV)],
      '61': [install(ALLOCATION, RESV, { stateless: priority(5) })],
      '81': [install(IN, RESV_ERR)],
      '91': [install(OUT, RESV_ERR, { replacement: POLICY_DATA[2] ?? assert.fail() })],
    };
    await scene(rules, async ({ pep, log, requests }) => {
      const on = (ifindex: number) => ({ address: `10.0.${ifindex}.1`, ifindex });
      const filter = FilterSpecIpv4.make({ srcAddress: '10.0.3.9', srcPort: 5001 });
      const ask = (handle: string, rType: number, mType: number, where: Partial<PepRequest>, rspec = 1) =>
        pep.request({
          handle,
          rType,
          mType,
          ...where,
          clientSi: signaled(session, hop(`10.0.0.${rspec}`), filter),
        });

      // A Path of S1 arrives on if3 and leaves by if1 and if2.
      assert.deepEqual((await ask('a1', IN, PATH, { inInterface: on(3) })).decisions, rules.a1);
      const [b1, b2] = await Promise.all([
        ask('b1', OUT, PATH, { outInterface: on(1) }),
        ask('b2', OUT, PATH, { outInterface: on(2) }),
      ]);
      assert.deepEqual(plain(b1.decisions), plain(rules.b1));
      assert.deepEqual(b2.decisions, rules.b2);

      // A WF Resv of R2 arrives on if2.
      const c = await ask('c1', IN | ALLOCATION, RESV, { inInterface: on(2) });
      assert.deepEqual(
        plain(c.decisions),
        plain([install(IN, RESV), install(ALLOCATION, RESV, { stateless: priority(5) })]),
      );
      pep.report('c1', 'success');
      assert.deepEqual(
        plain((await ask('e1', OUT, RESV, { outInterface: on(3) })).decisions),
        plain(rules.e1),
      );

      // R3's arrives on if2 as well: one query for both contexts would be ambiguous (RFC 2749 3.6).
      assert.deepEqual((await ask('c1', IN, RESV, { inInterface: on(2) })).decisions, [install(IN, RESV)]);
      assert.equal(requests.at(-1)?.isUpdate, true);
      assert.deepEqual((await ask('f1', IN, RESV, { inInterface: on(2) }, 2)).decisions, rules.f1);
      assert.deepEqual(
        plain((await ask('61', ALLOCATION, RESV, { inInterface: on(2) }, 2)).decisions),
        plain(rules['61']),
      );
      pep.report('61', 'success');
      await ask('e1', OUT, RESV, { outInterface: on(3) }, 2);

      // A ResvErr from S1, mapped to R3.
      assert.deepEqual((await ask('81', IN, RESV_ERR, { inInterface: on(3) })).decisions, rules['81']);
      const last = await ask('91', OUT, RESV_ERR, { outInterface: on(2) });
      assert.deepEqual(plain(last.decisions), plain(rules['91']));
      assert.deepEqual(log, [
        'REQ a1 1/1',
        'REQ b1 4/1',
        'REQ b2 4/1',
        'REQ c1 3/2',
        'RPT c1 success',
        'REQ e1 4/2',
        'REQ c1 1/2',
        'REQ f1 1/2',
        'REQ 61 2/2',
        'RPT 61 success',
        'REQ e1 4/2',
        'REQ 81 1/4',
        'REQ 91 4/4',
      ]);
    });
  });

  it('3.3: a reservation that finds no resources is reported so, and deleted', async () => {
    await scene({ '01': { command: 'install' } }, async ({ pep, log }) => {
      await pep.request({ handle: '01', rType: ALLOCATION, mType: RESV });
      pep.report('01', 'failure');
      pep.delete('01', REASON.insufficientResources);
      await until(() => log.length === 3);
      assert.deepEqual(log.slice(1), ['RPT 01 failure', 'DRQ 01 7']);
    });
  });

  it('2.3: the absence of objects that RSVP requires is an error, not a decision', async () => {
    await scene({ '01': { errorCode: 5 } }, async ({ pep }) => {
      await assert.rejects(
        pep.request({ handle: '01', rType: IN, mType: PATH }),
        /Mandatory client-specific info missing/,
      );
    });
  });
});

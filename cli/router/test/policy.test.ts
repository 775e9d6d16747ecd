import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { REASON, TRIGGER_ERROR } from '../../../cops/index.js';
import { PdpServer } from '../../../cops/io/index.js';
import type { PdpServerOptions } from '../../../cops/io/index.js';
import type { PolicyAnswer } from '../../../rsvp/engine/policy.js';
import { PolicyData, POLICY_ERROR, TimeValues } from '../../../rsvp/wire/index.js';
import { answerOf } from '../policy/answer.js';
import { CopsPolicy } from '../policy/cops.js';
import type { CopsPolicyOptions } from '../policy/cops.js';
import { PolicyFront } from '../policy/front.js';
import { copsQuestion } from '../policy/inquiry.js';
import { LocalPolicy } from '../policy/local.js';
import type { PolicyModule } from '../policy/module.js';
import { noPolicy } from '../policy/none.js';
import { octetsOf, reasonIn } from '../policy/objects.js';
import {
  find,
  PAID,
  resvQuestion,
  Revisions,
  SILENT,
  startPdp,
  STORY_TIME,
  storyConfig,
  TOO_DEAR,
} from './policy-world.js';

const POLICY_FAILURE = 2;
const hex = (text: string): Uint8Array => Buffer.from(text, 'hex');

function assertTooDear(answer: PolicyAnswer): void {
  assert.ok(!answer.granted);
  assert.equal(answer.errorCode, POLICY_FAILURE);
  assert.equal(answer.errorValue, POLICY_ERROR.ERR_REJECT);
  assert.match(answer.reason, /amount 0\.60 is not < 0\.56/);
  assert.equal(answer.isSilent, undefined, 'it triggers an error message');
  assert.deepEqual(
    answer.objects.map((object) => object.class),
    ['POLICY_DATA'],
  );
  // The reason is in the policy element, for the host that gets the ResvErr.
  assert.match(reasonIn(answer.objects) ?? '', /amount 0\.60 is not < 0\.56/);
}

describe('the questions of a router in COPS (RFC 2749 2)', () => {
  it('have the contexts, the interfaces with the addresses, and all objects of the message', () => {
    assert.deepEqual(copsQuestion(resvQuestion(258), find), {
      handle: '00000102',
      rType: 7,
      mType: 2,
      inInterface: { address: '192.0.2.7', ifindex: 1 },
      outInterface: { address: '192.0.2.1', ifindex: 1 },
      clientSi: [{ kind: 'signaled', data: octetsOf(PAID) }],
    });
  });

  it('name the destination of a Path as the address of its Out-Interface (RFC 2748 2.2.4)', () => {
    const question = {
      ...resvQuestion(1),
      message: 'Path' as const,
      context: { incoming: true, allocation: false, outgoing: true },
    };
    const { rType, mType, outInterface } = copsQuestion(question, find);
    assert.deepEqual([rType, mType, outInterface], [5, 1, { address: '192.0.2.7', ifindex: 1 }]);
  });
});

describe('decisions of COPS as answers (RFC 2749 2.4)', () => {
  it('Install grants, and what it replaces goes on', () => {
    assert.deepEqual(answerOf([{ command: 'install' }]), { granted: true });
    const data = PolicyData.make({ options: [], elements: [] });
    const answer = answerOf([{ command: 'install', replacement: octetsOf([data]) }]);
    assert.ok(answer.granted);
    assert.deepEqual(
      answer.replacement?.map((object) => object.class),
      ['POLICY_DATA'],
    );
  });

  it('an empty object removes all of its class; other classes are not ours to replace', () => {
    const answer = answerOf([{ command: 'install', replacement: hex('00040e01') }]);
    assert.deepEqual(answer, { granted: true, replacement: [] });
    const time = octetsOf([TimeValues.make({ refreshPeriod: 1 })]);
    assert.deepEqual(answerOf([{ command: 'install', replacement: time }]), { granted: true });
  });

  it('a stateless PREEMPTION_PRI is the priority (RFC 3181 4)', () => {
    // Length 12, P-Type 1, no flags, strategy 1, no error; preemption 7, defending 9.
    const stateless = hex('000c00010001000000070009');
    assert.deepEqual(answerOf([{ command: 'install', stateless }]), {
      granted: true,
      preemptionPriority: 7,
      defendingPriority: 9,
    });
  });

  it('one Remove among several contexts refuses; without Trigger Error it is silent', () => {
    const context = (rType: number) => ({ rType, mType: 2 });
    const [installed, removed] = [
      { command: 'install' as const, context: context(1) },
      { command: 'remove' as const, context: context(6) },
    ];
    const silent = answerOf([installed, removed]);
    assert.ok(!silent.granted);
    assert.deepEqual(
      [silent.errorCode, silent.errorValue, silent.isSilent],
      [2, POLICY_ERROR.ERR_REJECT, true],
    );
    const loud = answerOf([installed, { ...removed, flags: TRIGGER_ERROR }]);
    assert.ok(!loud.granted && loud.isSilent === undefined);
  });

  it('no decision, or octets that are none, grant nothing', () => {
    assert.equal(answerOf([]).granted, false);
    assert.equal(answerOf([{ command: 'null' }]).granted, false);
    const broken = answerOf([{ command: 'remove', replacement: hex('00ff0e01aa') }]);
    assert.equal(broken.granted, false);
  });
});

describe('a policy front', () => {
  it('asks one question of an id at a time, and the newest next (RFC 2748 3.2)', async () => {
    const asked: number[] = [];
    const answers: ((answer: PolicyAnswer) => void)[] = [];
    const module: PolicyModule = {
      ...noPolicy(),
      ask: ({ objects }) => {
        asked.push(objects.length);
        return new Promise((resolve) => answers.push(resolve));
      },
    };
    const front = new PolicyFront(module, (error) => {
      throw error;
    });
    const ask = (count: number) => front.ask(resvQuestion(7, PAID.slice(0, count)));
    const first = ask(1);
    await sleep(0);
    void ask(2);
    const third = ask(3);
    await sleep(0);
    assert.deepEqual(asked, [1]);
    assert.ok(front.isAsking(7));
    answers[0]?.({ granted: true });
    assert.deepEqual(await first, { granted: true });
    await sleep(0);
    assert.deepEqual(asked, [1, 3], 'what was superseded before its turn is not asked');
    answers[1]?.({ granted: true });
    await third;
    assert.deepEqual([front.isAsking(7), front.granted, front.pendingCount], [false, 1, 0]);
  });

  it('does not ask what was forgotten before its turn, and grants nothing where its module fails', async () => {
    const failed: unknown[] = [];
    let asked = 0;
    const module: PolicyModule = {
      ...noPolicy(),
      ask: () => {
        asked++;
        return Promise.reject(new Error('broken'));
      },
    };
    const front = new PolicyFront(module, (error) => failed.push(error));
    const answer = front.ask(resvQuestion(1));
    const forgotten = front.ask(resvQuestion(2));
    front.forget(2, 'tear');
    assert.equal((await answer).granted, false);
    assert.equal((await forgotten).granted, false);
    assert.deepEqual([asked, failed.length, front.pendingCount, front.refused], [1, 1, 0, 1]);
  });
});

describe('a router that judges by itself', () => {
  const open = (): Promise<LocalPolicy> =>
    LocalPolicy.open(storyConfig(), {
      name: 'ne-12',
      clock: () => STORY_TIME,
      log: SILENT,
      find,
      linkName: () => 'Dublin-NYC',
      revised: () => undefined,
    });

  it('grants what is paid for, refuses what is not, and says why', async () => {
    const policy = await open();
    try {
      assert.deepEqual(await policy.ask(resvQuestion(1)), { granted: true });
      assertTooDear(await policy.ask(resvQuestion(2, TOO_DEAR)));
      assert.match(policy.status().state, /1 granted, 1 refused/);
    } finally {
      await policy.close();
    }
  });

  it('commits the payment when the reservation is in force, and ends it with its state', async () => {
    const policy = await open();
    try {
      await policy.ask(resvQuestion(1));
      policy.report(1, true);
      assert.equal(policy.desk.cashier.held.of('1')?.state, 'committed');
      await policy.ask(resvQuestion(1));
      policy.forget(1);
      assert.equal(policy.desk.cashier.held.size, 0);
    } finally {
      await policy.close();
    }
  });

  it('takes back what is never reported to be in force', async () => {
    const revisions = new Revisions();
    const config = storyConfig();
    const policy = await LocalPolicy.open(
      { ...config, store: { ...config.store, holdTimeout: 50 } },
      {
        name: 'ne-12',
        clock: (() => {
          const began = Date.now();
          return () => STORY_TIME + Date.now() - began;
        })(),
        log: SILENT,
        find,
        linkName: () => 'Dublin-NYC',
        revised: revisions.take,
      },
    );
    try {
      await policy.ask(resvQuestion(5));
      const [question, answer] = await revisions.next();
      assert.equal(question, 5);
      assert.ok(!answer.granted);
      assert.match(answer.reason, /did not report within/);
      assert.equal(answer.errorValue, POLICY_ERROR.ERR_EXPIRED);
    } finally {
      await policy.close();
    }
  });
});

describe('a router with a policy server', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function router(
    ports: readonly number[],
    more: Partial<CopsPolicyOptions> = {},
  ): Promise<{ policy: CopsPolicy; revisions: Revisions }> {
    const revisions = new Revisions();
    const policy = await CopsPolicy.open({
      pdps: ports.map((port) => ({ host: '127.0.0.1', port })),
      pepId: 'ne-12',
      timeout: 2000,
      fallback: 'deny',
      log: SILENT,
      find,
      revised: revisions.take,
      ...more,
    });
    closing.push(() => policy.close());
    return { policy, revisions };
  }

  async function pdp(port = 0) {
    const started = await startPdp(port);
    let isStopped = false;
    const stop = async (): Promise<void> => {
      if (!isStopped) await started.service.stop();
      isStopped = true;
    };
    closing.push(stop);
    return { ...started, stop };
  }

  /** A policy server that notes what it is told. */
  async function noting(options: Partial<PdpServerOptions> = {}) {
    const seen: string[] = [];
    let wake = (): void => undefined;
    const note = (text: string): void => {
      seen.push(text);
      wake();
    };
    const server = new PdpServer({
      decide: () => ({ command: 'install' }),
      reported: ({ handle }, { type }) => note(`${handle} ${type}`),
      ended: ({ handle }, end) =>
        note(`${handle} ${end.kind === 'deleted' ? `deleted ${end.reasonCode}` : end.kind}`),
      ...options,
    });
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    closing.push(() => server.close());
    const until = async (count: number): Promise<string[]> => {
      while (seen.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return seen;
    };
    return { server, port, until };
  }

  it('grants what the PDP installs; what it removes has its error and its reason (RFC 2749 2.4)', async () => {
    const { port } = await pdp();
    const { policy } = await router([port]);
    assert.deepEqual(await policy.ask(resvQuestion(1)), { granted: true });
    assertTooDear(await policy.ask(resvQuestion(2, TOO_DEAR)));
    assert.deepEqual(policy.status(), {
      module: 'cops',
      state: `connected to 127.0.0.1:${port}`,
      isReady: true,
    });
  });

  it('reports success and failure, and deletes with the reason (RFC 2748 2.2.5, 3.3, 3.4)', async () => {
    const { port, until } = await noting();
    const { policy } = await router([port]);
    const REASONS = [
      ['tear', REASON.tear],
      ['timeout', REASON.timeout],
      ['preempted', REASON.preempted],
      ['route-change', REASON.routeChange],
      ['error', REASON.insufficientResources],
      ['shutdown', REASON.management],
    ] as const;
    for (const [i, [reason]] of REASONS.entries()) {
      await policy.ask(resvQuestion(i));
      policy.report(i, reason !== 'error');
      policy.forget(i, reason);
    }
    assert.deepEqual(
      await until(12),
      REASONS.flatMap(([reason, code], i) => [
        `0000000${i} ${reason === 'error' ? 'failure' : 'success'}`,
        `0000000${i} deleted ${code}`,
      ]),
    );
  });

  it('deletes the handle of an error message as transient (RFC 2748 2.2.5)', async () => {
    const { port, until } = await noting();
    const { policy } = await router([port]);
    const context = { incoming: false, allocation: false, outgoing: true };
    await policy.ask({ ...resvQuestion(1), message: 'ResvErr', context });
    policy.forget(1, 'tear');
    assert.deepEqual(await until(1), [`00000001 deleted ${REASON.transientHandle}`]);
  });

  it('takes what the PDP decides unasked (RFC 2748 3.2)', async () => {
    const { server, port } = await noting();
    const { policy, revisions } = await router([port]);
    await policy.ask(resvQuestion(3));
    server.revise('ne-12', '00000003', { command: 'remove', flags: TRIGGER_ERROR });
    const [question, answer] = await revisions.next();
    assert.deepEqual([question, answer.granted], [3, false]);
  });

  it('answers a refresh from the cache when the PDP is gone, and refuses what is new with ERR_PDP', async () => {
    const { port, stop } = await pdp();
    const { policy, revisions } = await router([port], { timeout: 300 });
    assert.deepEqual(await policy.ask(resvQuestion(1)), { granted: true });
    await stop();
    assert.deepEqual(await policy.ask(resvQuestion(1)), { granted: true });
    const answer = await policy.ask(resvQuestion(2));
    assert.ok(!answer.granted);
    assert.deepEqual([answer.errorCode, answer.errorValue], [POLICY_FAILURE, POLICY_ERROR.ERR_PDP]);
    assert.equal(policy.status().isReady, false);
    assert.deepEqual(revisions.seen, []);
  });

  it('gives up what was decided when no PDP comes back in time (RFC 2749 3.5)', async () => {
    const { port, stop } = await pdp();
    const { policy, revisions } = await router([port], { timeout: 300, cacheTime: 100 });
    await policy.ask(resvQuestion(1));
    await stop();
    const [question, answer] = await revisions.next();
    assert.equal(question, 1);
    assert.ok(!answer.granted && answer.errorValue === POLICY_ERROR.ERR_PDP);
  });

  it('goes on with the next PDP, which is told what it holds (RFC 2748 2.5)', async () => {
    const first = await pdp();
    const second = await noting();
    const { policy } = await router([first.port, second.port]);
    await policy.ask(resvQuestion(1));
    policy.report(1, true);
    await first.stop();
    await policy.client.opened();
    assert.deepEqual(await policy.ask(resvQuestion(2)), { granted: true });
    assert.match(policy.status().state, new RegExp(`:${second.port}$`));
    second.server.synchronize();
    // Asked again, and the success is said again (RFC 2749 3.3).
    assert.deepEqual(await second.until(1), ['00000001 success']);
  });

  it('falls back to a grant where it is told to, and the PDP has the last word (RFC 2748 2.5)', async () => {
    const gone = await pdp();
    await gone.stop();
    const { policy, revisions } = await router([gone.port], { timeout: 300, fallback: 'grant' });
    assert.deepEqual(await policy.ask(resvQuestion(1, TOO_DEAR)), { granted: true });
    await pdp(gone.port);
    const [question, answer] = await revisions.next();
    assert.equal(question, 1);
    assertTooDear(answer);
  }).timeout(10_000);

  it('falls back to judging by itself, and the PDP has the last word', async () => {
    const gone = await pdp();
    await gone.stop();
    const local = await LocalPolicy.open(storyConfig(), {
      name: 'ne-12',
      clock: () => STORY_TIME,
      log: SILENT,
      find,
      linkName: () => 'Dublin-NYC',
      revised: () => undefined,
    });
    const { policy } = await router([gone.port], { timeout: 300, fallback: local });
    assert.deepEqual(await policy.ask(resvQuestion(1)), { granted: true });
    assertTooDear(await policy.ask(resvQuestion(2, TOO_DEAR)));
    policy.report(1, true);
    assert.equal(local.desk.cashier.held.of('1')?.state, 'committed');
  });

  it('forgets quietly what was never decided', async () => {
    const gone = await pdp();
    await gone.stop();
    const { policy } = await router([gone.port], { timeout: 200 });
    const asking = policy.ask(resvQuestion(1));
    policy.report(1, true);
    policy.forget(1, 'timeout');
    policy.forget(1, 'timeout');
    assert.equal((await asking).granted, false);
  });
});

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { EngineEffect } from '../../engine/effect.js';
import type { ArrivedPacket, SentPacket } from '../../engine/packet.js';
import type { PolicyAnswer, PolicyQuestion } from '../../engine/policy.js';
import type { TrafficReservation } from '../../engine/traffic.js';
import { EngineRunner, type DecidingPolicy, type RunnableEngine, type Transport } from '../index.js';
import { NO_STATISTICS, type TransportReceiver } from '../transport.js';

const QUESTION: PolicyQuestion = {
  id: 7,
  message: 'Resv',
  context: { incoming: true, allocation: true, outgoing: true },
  neighbour: '10.0.0.1',
  objects: [],
};
const ARRIVED: ArrivedPacket = {
  interface: 2,
  source: '10.0.0.1',
  destination: '10.0.0.2',
  ttl: 64,
  octets: new Uint8Array(8),
};
const RESERVATION = { id: 3, interface: 2 } as TrafficReservation;
const PACKET: SentPacket = {
  interface: 2,
  destination: '10.0.0.1',
  ttl: 64,
  routerAlert: false,
  octets: new Uint8Array(8),
};
const SEND: EngineEffect = { kind: 'send', packet: PACKET };

/** Says what a test wants it to say, and notes what it is told. */
class Script implements RunnableEngine {
  readonly told: unknown[][] = [];
  says: EngineEffect[] = [];
  due: number | undefined;

  #take(...what: unknown[]): EngineEffect[] {
    this.told.push(what);
    return this.says.splice(0);
  }

  receive(_: number, { octets }: ArrivedPacket): EngineEffect[] {
    return this.#take('receive', octets.length);
  }
  nextTimeout(): number | undefined {
    return this.due;
  }
  handleTimeout(now: number): EngineEffect[] {
    this.due = undefined;
    return this.#take('timeout', now >= 20);
  }
  decided(_: number, question: number, answer: PolicyAnswer): EngineEffect[] {
    return this.#take('decided', question, answer);
  }
  trafficFailed(_: number, reservation: number, reason: string): EngineEffect[] {
    return this.#take('trafficFailed', reservation, reason);
  }
  interfacesChanged(): EngineEffect[] {
    return this.#take('interfaces');
  }
  routesChanged(): EngineEffect[] {
    return this.#take('routes');
  }
  shutdown(): EngineEffect[] {
    return this.#take('shutdown');
  }
}

class Wire implements Transport {
  readonly batches: number[] = [];
  receiver: TransportReceiver | undefined;
  isClosed = false;
  readonly statistics = NO_STATISTICS;

  start(receiver: TransportReceiver): void {
    this.receiver = receiver;
  }
  send(packets: readonly SentPacket[]): void {
    assert.ok(!this.isClosed);
    this.batches.push(packets.length);
  }
  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function started(options: { policy?: DecidingPolicy; reserve?: () => Promise<void> } = {}): {
  engine: Script;
  wire: Wire;
  runner: EngineRunner<Script>;
  troubles: unknown[];
} {
  const [engine, wire, troubles] = [new Script(), new Wire(), [] as unknown[]];
  const runner = new EngineRunner({
    engine,
    transports: [wire],
    traffic: { reserve: options.reserve ?? (() => Promise.resolve()), release: () => Promise.resolve() },
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  runner.start();
  return { engine, wire, runner, troubles };
}

function asking(ask: DecidingPolicy['ask']): DecidingPolicy {
  return { ask, report: () => undefined, forget: () => undefined };
}

const GRANTED: PolicyAnswer = { granted: true };

describe('engine runner', () => {
  it('what arrived at once is sent for in one batch', () => {
    const { engine, wire } = started();
    engine.says = [SEND, SEND];
    wire.receiver?.packets([ARRIVED, ARRIVED, ARRIVED]);
    assert.deepEqual(wire.batches, [2]);
    assert.equal(engine.told.length, 3);
  });

  it('an answer given at once is told after the effects before it, and what it gives rise to is in the same batch', () => {
    const { engine, wire, runner } = started({
      policy: asking(() => {
        engine.says = [SEND];
        return GRANTED;
      }),
    });
    runner.call(() => [{ kind: 'ask', question: QUESTION }, SEND]);
    assert.deepEqual(engine.told, [['decided', 7, GRANTED]]);
    assert.deepEqual(wire.batches, [2]);
  });

  it('an answer to a question that was asked anew since, or is forgotten, is not told', async () => {
    const answers: ((answer: PolicyAnswer) => void)[] = [];
    const { engine, runner } = started({
      policy: asking(() => new Promise((resolve) => answers.push(resolve))),
    });
    runner.call(() => [{ kind: 'ask', question: QUESTION }]);
    runner.call(() => [{ kind: 'ask', question: { ...QUESTION } }]);
    answers[0]?.(GRANTED);
    await turn();
    assert.deepEqual(engine.told, []);
    answers[1]?.(GRANTED);
    await turn();
    assert.deepEqual(engine.told, [['decided', 7, GRANTED]]);
    runner.call(() => [
      { kind: 'ask', question: QUESTION },
      { kind: 'forget', question: 7, reason: 'tear' },
    ]);
    answers[2]?.(GRANTED);
    await turn();
    assert.equal(engine.told.length, 1);
  });

  for (const [name, policy] of [
    ['throws', asking(() => assert.fail('broken'))],
    ['rejects', asking(() => Promise.reject(new Error('broken')))],
    ['is not there', undefined],
  ] as const) {
    it(`a policy that ${name} has not granted: ERR_PDP (RFC 2750 Appendix A)`, async () => {
      const { engine, runner, troubles } = started(policy === undefined ? {} : { policy });
      runner.call(() => [{ kind: 'ask', question: QUESTION }]);
      await turn();
      const [, , answer] = engine.told[0] as [string, number, PolicyAnswer];
      assert.ok(!answer.granted);
      assert.deepEqual([answer.errorCode, answer.errorValue], [2, 9]);
      assert.equal(troubles.length, 1);
    });
  }

  it('what traffic control could not do is told to the engine (RFC 2205 3.11.2)', async () => {
    const { engine, runner } = started({ reserve: () => Promise.reject(new Error('no class left')) });
    runner.call(() => [{ kind: 'reserve', reservation: RESERVATION }]);
    await turn();
    assert.deepEqual(engine.told, [['trafficFailed', 3, 'no class left']]);
  });

  it('a timeout is handled when it is due, not before', async () => {
    const engine = new Script();
    let now = 0;
    engine.due = 20;
    const traffic = { reserve: () => Promise.resolve(), release: () => Promise.resolve() };
    const runner = new EngineRunner({ engine, transports: [], traffic, now: () => now });
    runner.start();
    const clock = setInterval(() => (now += 5), 5);
    while (engine.told.length === 0) await turn();
    clearInterval(clock);
    assert.deepEqual(engine.told, [['timeout', true]]);
  });

  it('closing tears, waits for traffic control, and closes the transports last; what arrives meanwhile is nothing any more', async () => {
    let done: () => void = () => undefined;
    const { engine, wire, runner } = started({ reserve: () => new Promise((resolve) => (done = resolve)) });
    runner.call(() => [{ kind: 'reserve', reservation: RESERVATION }]);
    engine.says = [SEND];
    const closing = runner.close({ tears: true });
    await turn();
    assert.deepEqual([wire.isClosed, wire.batches], [false, [1]]);
    wire.receiver?.packets([ARRIVED]);
    done();
    await closing;
    assert.equal(wire.isClosed, true);
    assert.deepEqual(engine.told, [['shutdown']]);
  });

  it('closing without tearing tells the neighbours nothing', async () => {
    const { engine, wire, runner } = started();
    await runner.close({ tears: false });
    assert.deepEqual([engine.told, wire.batches, wire.isClosed], [[], [], true]);
  });
});

import assert from 'node:assert/strict';
import { KeyRing, REASON } from '../index.js';
import type { ContextDecision, CopsKey, Decision, PdpOptions, PepEffect, PepRequest } from '../index.js';
import { Later, Network, seeded, SimulatedPdp, SimulatedPep } from './network.js';

/** Virtual milliseconds of trouble, and of the quiet afterwards. */
const TROUBLE = 40_000;
const QUIET = 120_000;
const SEEDS = 2500;

/** Keys that take over from each other every 10 s, with 4 s of overlap (RFC 2748 4.2). */
const KEYS: readonly CopsKey[] = Array.from({ length: 20 }, (_, n) => ({
  id: n,
  secret: Buffer.from(`secret ${n}`),
  notBefore: n * 10_000 - 4000,
  notAfter: (n + 1) * 10_000,
}));

describe('PEPs and PDPs in trouble', () => {
  it(`agree once it is quiet, and have forgotten the rest (${SEEDS} histories)`, function () {
    this.timeout(60_000);
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        new History(seed).run();
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
});

/** Refusals that are nobody's mistake: messages that crossed a Client-Close or a delete. */
const CROSSED =
  /^client-type 1 is not open$|^a report on a handle that is not installed$|^nothing was heard|not opened in time|no client-type was opened|not completed in time/;

/** Ends of a connection that trouble explains; no Client-Close says that a message was wrong. */
const LOST =
  /^gone$|^closed by the PDP: error (6|9|11|12),|did not answer in time|nothing was heard|redirected too often/;

/** One random history of two PEPs and three PDPs. */
export class History {
  readonly random: () => number;
  readonly network: Network;
  readonly pdps: SimulatedPdp[];
  readonly peps: SimulatedPep[] = [];
  /** Of each PEP: handles whose answer somebody waits for. */
  readonly waiting: Set<string>[] = [];
  /** Of each PEP: handles whose last answer was an Error, so that each side goes on with what it knew. */
  readonly undecided: Set<string>[] = [];
  /** Request states that `decide` saw and `ended` has not. */
  readonly installed = new Map<string, Set<object>>();
  readonly hasKeys: boolean;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.network = new Network(this.random);
    this.hasKeys = this.random() < 0.25;
    const synchronize = this.network.pick(['cached', 'missing', 'always'] as const) ?? 'cached';
    const keepAlive = this.network.pick([0, 5, 20]) ?? 0;
    this.pdps = ['192.0.2.1', '192.0.2.2', '2001:db8::3'].map((host) => {
      return new SimulatedPdp(this.network, host, () => this.#pdpOptions(host, { synchronize, keepAlive }));
    });
    for (let n = 0; n < 2; n++) this.#startPep(n);
  }

  run(): void {
    const { network } = this;
    for (let n = 0; n < 60; n++) network.at(network.between(0, TROUBLE), () => this.#act());
    network.runUntil(TROUBLE);
    for (const pdp of this.pdps) if (!pdp.isUp) pdp.start();
    // An end without keep-alives learns from TCP alone.
    for (const wire of network.wires) if (wire.isSilent) wire.cut();
    network.runUntil(TROUBLE + QUIET);
    this.#check();
  }

  #pdpOptions(host: string, more: Partial<PdpOptions>): PdpOptions {
    const installed = new Set<object>();
    this.installed.set(host, installed);
    return {
      ...more,
      limits: { stateRetention: 30_000 },
      initialSequenceNumber: () => Math.floor(this.random() * 2 ** 32),
      ...(this.hasKeys ? { keys: () => new KeyRing(KEYS), integrityRequired: true } : {}),
      decide: (request) => {
        installed.add(request.state);
        const decision = this.#decision(request.rType, request.mType);
        return this.random() < 0.3 ? new Later(decision) : decision;
      },
      ended: (request) =>
        assert.ok(installed.delete(request.state), 'a state ended that never began, or twice'),
      refused: (_, problem) => assert.match(problem, CROSSED),
      failed: (error) => {
        throw error;
      },
    };
  }

  #decision(rType: number, mType: number): Decision {
    const random = this.random();
    if (random < 0.05) return { errorCode: 4 };
    const command = (): 'install' | 'remove' => (this.random() < 0.7 ? 'install' : 'remove');
    if (random < 0.5) return { command: command() };
    const decisions: ContextDecision[] = [];
    for (const flag of [1, 2, 4]) {
      if ((rType & flag) === 0) continue;
      decisions.push({
        command: command(),
        context: { rType: flag, mType },
        ...(this.random() < 0.3 ? { replacement: Uint8Array.of(Math.floor(this.random() * 256)) } : {}),
      });
    }
    return decisions;
  }

  #startPep(n: number): void {
    const { network } = this;
    const waiting = (this.waiting[n] = new Set<string>());
    const undecided = (this.undecided[n] = new Set<string>());
    const order = [...this.pdps].sort(() => this.random() - 0.5);
    const keys = this.hasKeys ? { keys: new KeyRing(KEYS) } : {};
    const hasLpdp = this.random() < 0.3;
    this.peps[n] = new SimulatedPep(
      network,
      this.pdps,
      {
        pdps: order.map(({ host }) => ({ host, ...keys })),
        pepId: `pep-${n}`,
        random: this.random,
        initialSequenceNumber: () => Math.floor(this.random() * 2 ** 32),
        limits: { cacheTime: 25_000, retryMost: 8000 },
        ...(hasLpdp ? { lpdp: () => (this.random() < 0.8 ? [{ command: 'install' }] : undefined) } : {}),
      },
      (effect) => told(waiting, undecided, effect),
    );
  }

  /** One thing that happens to a router, a policy server or the network between them. */
  #act(): void {
    const { network } = this;
    const n = this.random() < 0.5 ? 0 : 1;
    const pdp = network.pick(this.pdps) as SimulatedPdp;
    const chance = this.random();
    if (chance < 0.35) this.#request(n, this.random() < 0.5);
    else if (chance < 0.43) this.#request(n, true);
    else if (chance < 0.5) this.#report(n);
    else if (chance < 0.58) this.#delete(n);
    else if (chance < 0.7) this.#revise();
    else if (chance < 0.75) pdp.perform(pdp.pdp.synchronize(network.now));
    else if (chance < 0.79) this.#synchronizeOne();
    else if (chance < 0.83) this.#redirect(pdp);
    else if (chance < 0.88) this.#restart(pdp);
    else if (chance < 0.98) {
      const wire = network.pick([...network.wires]);
      if (wire !== undefined && this.random() < 0.4) wire.isSilent = true;
      else wire?.cut();
    } else {
      this.peps[n]?.crash();
      this.#startPep(n);
    }
  }

  #request(n: number, isOld: boolean): void {
    const { pep } = this.peps[n] as SimulatedPep;
    const waiting = this.waiting[n] as Set<string>;
    const old = isOld ? this.network.pick(pep.handles) : undefined;
    if (old !== undefined && waiting.has(old)) return;
    const kind = this.network.pick([
      { rType: 1, mType: 1 },
      { rType: 5, mType: 1 },
      { rType: 7, mType: 2 },
      { rType: 3, mType: 2 },
    ]) as PepRequest;
    const request: PepRequest = {
      ...kind,
      ...(old === undefined ? {} : { handle: old }),
      fresh: this.random() < 0.5,
    };
    let result;
    try {
      result = pep.request(this.network.now, request);
    } catch {
      // Synchronizing asks again in its own right: the answer to that is awaited.
      return;
    }
    waiting.add(result.handle);
    this.peps[n]?.perform(result.effects);
  }

  #report(n: number): void {
    const simulated = this.peps[n] as SimulatedPep;
    const handle = this.network.pick(simulated.pep.handles);
    if (handle === undefined) return;
    const type = this.network.pick(['success', 'failure', 'accounting'] as const) ?? 'success';
    simulated.perform(simulated.pep.report(this.network.now, handle, type));
  }

  #delete(n: number): void {
    const simulated = this.peps[n] as SimulatedPep;
    const handle = this.network.pick(simulated.pep.handles);
    if (handle !== undefined) simulated.perform(simulated.pep.delete(this.network.now, handle, REASON.tear));
  }

  #revise(): void {
    const all = this.pdps
      .filter((pdp) => pdp.isUp)
      .flatMap((pdp) =>
        [...pdp.pdp.sessions()].flatMap((session) => session.requests.map((request) => ({ pdp, request }))),
      );
    const chosen = this.network.pick(all);
    if (chosen === undefined) return;
    const { pdp, request } = chosen;
    const decision = this.#decision(request.rType, request.mType);
    if ('errorCode' in decision) return;
    pdp.perform(pdp.pdp.revise(this.network.now, request, decision));
  }

  #synchronizeOne(): void {
    const pdp = this.network.pick(this.pdps.filter((each) => each.isUp));
    const session = this.network.pick([...(pdp?.pdp.sessions() ?? [])]);
    const request = this.network.pick(session?.requests ?? []);
    if (request !== undefined) pdp?.perform(pdp.pdp.synchronizeRequest(this.network.now, request));
  }

  #redirect(pdp: SimulatedPdp): void {
    const to = this.network.pick(this.pdps);
    if (!pdp.isUp || to === undefined || to === pdp) return;
    const filter = this.random() < 0.5 ? {} : { pepId: 'pep-0' };
    pdp.perform(pdp.pdp.redirect(this.network.now, { address: to.host, port: 3288 }, filter));
  }

  #restart(pdp: SimulatedPdp): void {
    if (!pdp.isUp) return;
    pdp.stop(this.random() < 0.5);
    this.network.later(100, this.random() < 0.2 ? 40_000 : 5000, () => {
      if (!pdp.isUp) pdp.start();
    });
  }

  #check(): void {
    const serving = new Map<string, SimulatedPdp>();
    this.peps.forEach((simulated, n) => {
      const { pep } = simulated;
      assert.equal(pep.phase, 'open', `pep-${n}`);
      assert.deepEqual([...(this.waiting[n] ?? [])], [], `pep-${n} still waits`);
      const pdp = this.pdps.find(({ host }) => host === pep.target.host) as SimulatedPdp;
      serving.set(`pep-${n}`, pdp);
      const sessions = [...pdp.pdp.sessions({ pepId: `pep-${n}` })];
      assert.equal(sessions.length, 1, `pep-${n} has one session`);
      const held = new Map((sessions[0]?.requests ?? []).map((request) => [request.handle, request]));
      assert.deepEqual([...held.keys()].sort(), pep.handles.sort(), `handles of pep-${n}`);
      for (const [handle, request] of held) {
        if (this.undecided[n]?.has(handle) === true) continue;
        const whole = request.context;
        const normal = (all: readonly ContextDecision[] | undefined): ContextDecision[] | undefined =>
          all?.map((each) => ({ ...each, context: each.context ?? whole }));
        assert.deepEqual(
          plain(normal(pep.decisionsOf(handle))),
          plain(normal(request.installed)),
          `decisions for ${handle} of pep-${n}`,
        );
      }
    });
    for (const simulated of this.pdps) {
      const { pdp } = simulated;
      assert.equal(pdp.nextTimeout(), undefined, 'states kept for a PEP that is elsewhere');
      const states = [...pdp.sessions()].flatMap((session) => [...session.states.values()]);
      assert.equal(
        pdp.stateOctets,
        states.reduce((sum, state) => sum + state.request.text.length, 0),
        'octets of state',
      );
      assert.equal(pdp.connections.size, [...serving.values()].filter((each) => each === simulated).length);
      assert.deepEqual(
        new Set(this.installed.get(simulated.host)),
        new Set(states),
        'states that `ended` was not told of',
      );
      for (const state of states) assert.ok(!state.pending && (state.waiting ?? []).length === 0);
    }
  }
}

/** What a router hears from its PEP. */
function told(waiting: Set<string>, undecided: Set<string>, effect: PepEffect): void {
  if (effect.kind === 'decision') {
    if (!effect.solicited) return;
    waiting.delete(effect.handle);
    if (effect.source === 'pdp') undecided.delete(effect.handle);
  } else if (effect.kind === 'failed') {
    assert.match(effect.failure.kind, /^(error|timeout|deleted|purged)$/);
    undecided.add(effect.handle);
    waiting.delete(effect.handle);
  } else if (effect.kind === 'lost') assert.match(effect.reason, LOST);
}

/** Octets as hex, so that the messages of failed comparisons can be read. */
function plain(decisions: readonly ContextDecision[] | undefined): unknown {
  return decisions?.map((each) => ({
    ...each,
    ...(each.replacement === undefined ? {} : { replacement: Buffer.from(each.replacement).toString('hex') }),
  }));
}

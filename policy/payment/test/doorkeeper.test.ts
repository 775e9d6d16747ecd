import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RsvpHopIpv4 } from '../../../rsvp/wire/index.js';
import { authorOf, CredentialCache, parseAssertion } from '../../keynote/index.js';
import type { Assertion } from '../../keynote/index.js';
import { COUNTS_AGAINST, Doorkeeper, Quarantine, REFUSALS } from '../index.js';
import type { PaymentContents, PaymentOptions, PaymentRequest, Quarantined, Verdict } from '../index.js';
import {
  authorization,
  cashier,
  check,
  claims,
  KEYS,
  nick,
  NOW,
  offered,
  principal,
  request,
  signed,
} from './world.js';
import type { Changes } from './world.js';

/** Of a signed text: another signature. */
const WRONG = [/sig-ed25519-base64:.{8}/, 'sig-ed25519-base64:AAAAAAAA'] as const;

const MINUTE = 60_000;
const RULES = {
  key: { failures: 10, within: MINUTE, for: 10 * MINUTE },
  source: { failures: 30, within: MINUTE, for: 10 * MINUTE },
  pep: { failures: 3000, within: MINUTE, for: MINUTE },
};
const ALICE = { kind: 'key', id: principal('alice') } as const;
const SOURCE = { kind: 'source', id: '192.0.2.7@edge-1' } as const;

/** A policy node with a doorkeeper, as `bandex pdp` puts them together. */
class Node {
  readonly quarantine = new Quarantine(RULES);
  readonly doorkeeper = new Doorkeeper(this.quarantine);
  readonly cache = new CredentialCache();
  readonly begun: Quarantined[] = [];
  /** Signatures that the query looked at: a verdict of it was asked for. */
  verified = 0;
  now = 0;
  readonly #policy;
  readonly #cashier;

  constructor(options: Partial<PaymentOptions> = {}) {
    this.#policy = nick({
      cache: this.cache,
      admit: (one, hop) => this.doorkeeper.admit(one, hop, this.now),
      screen: (one, credentials) => {
        this.doorkeeper.screen(one, credentials, this.now);
        for (const credential of credentials) this.#spy(credential);
      },
      ...options,
    });
    this.#cashier = cashier(this.#policy);
  }

  async ask(contents: PaymentContents | undefined, changes: Changes = {}): Promise<Verdict> {
    return this.askFor(request(contents, changes));
  }

  async askFor(asked: PaymentRequest): Promise<Verdict> {
    const verdict = await (await this.#cashier).decide(asked, NOW);
    const { pepId, objects } = asked;
    const signers = (credentials: readonly Assertion[]) => this.#policy.signers(asked, credentials, verdict);
    this.begun.push(...this.doorkeeper.judged({ pepId, objects, verdict, signers }, this.now));
    return verdict;
  }

  get isAliceIn(): boolean {
    return this.quarantine.find(ALICE, this.now) !== undefined;
  }

  #spy(credential: Assertion): void {
    const verdict = credential.verdict.bind(credential);
    credential.verdict = (...parameters) => {
      this.verified++;
      return verdict(...parameters);
    };
  }
}

/** Each of them is another check by Alice, above what Martha allows her. */
function tooDear(i: number, assertions: readonly string[] = [offered(), authorization()]): PaymentContents {
  return {
    claims: claims({ amount: '0.60', nonce: `n${i}` }),
    assertions: [check(`n${i}`, '0.60'), ...assertions],
  };
}

function paid(nonce: string, text = check(nonce)): PaymentContents {
  return { claims: claims({ nonce }), assertions: [text, offered(), authorization()] };
}

/** The same neighbour and router cannot fail so often without being noticed themselves. */
function from(i: number, port = 5004): Changes {
  return { holder: `h${i}`, pepId: `edge-${i % 500}`, port };
}

describe('doorkeeper: a key is blamed for what it has signed', () => {
  it('as checks for more than it is allowed: the tenth begins a quarantine', async () => {
    const node = new Node();
    for (let i = 0; i < 10; i++) {
      assert.equal(node.isAliceIn, false, `after ${i}`);
      assert.equal((await node.ask(tooDear(i), from(i))).refusal?.reason, 'not-authorized');
    }
    assert.deepEqual(
      node.begun.map(({ kind, id, reason }) => [kind, id, reason]),
      [['key', ALICE.id, 'not-authorized']],
    );
  });

  it('as checks beyond its total', async () => {
    const node = new Node();
    const capped = [offered(), authorization('martha', 'alice', '0.56', '&total <= 0.50')];
    const contents = (i: number): PaymentContents => ({
      claims: claims({ nonce: `n${i}` }),
      assertions: [check(`n${i}`), ...capped],
    });
    assert.equal((await node.ask(contents(0), from(0, 6000))).granted, true);
    for (let i = 1; i <= 10; i++)
      assert.equal((await node.ask(contents(i), from(i, 6000 + i))).refusal?.reason, 'total-exceeded');
    assert.equal(node.isAliceIn, true);
  });

  it('as a second check for a nonce that is spent, and a third, whoever sends them', async () => {
    const node = new Node();
    const bound = (i: number): string =>
      check('once', '0.44', { address: '192.0.2.7', protocol: 17, port: 5000 + i });
    assert.equal((await node.ask(paid('once', bound(0)), from(0, 5000))).granted, true);
    for (let i = 1; i <= 10; i++) {
      const verdict = await node.ask(paid('once', bound(i)), from(i, 5000 + i));
      assert.equal(verdict.refusal?.reason, 'nonce-spent', verdict.reason);
    }
    assert.equal(node.isAliceIn, true);
  });

  it('and by no more signatures than one of its own where the first is wrong', async () => {
    const node = new Node();
    const forged = tooDear(1).assertions.map((text) => text.replace(/.{8}"\n$/, 'AAAAAAA="\n'));
    await node.ask({ ...tooDear(1), assertions: forged });
    assert.equal(node.verified, 1);
  });
});

describe('doorkeeper: nobody gets the key of somebody else quarantined', () => {
  it('by a check under its name with a wrong signature', async () => {
    const node = new Node();
    for (let i = 0; i < 100; i++) {
      const text = check(`n${i}`, '0.60').replace(...WRONG);
      await node.ask({ ...tooDear(i), assertions: [text, offered(), authorization()] }, from(i));
    }
    assert.deepEqual(node.begun, []);
  });

  it('by a check that was overheard, with another reservation', async () => {
    const node = new Node();
    assert.equal((await node.ask(paid('heard'), from(0, 5000))).granted, true);
    for (let i = 1; i < 100; i++)
      assert.equal((await node.ask(paid('heard'), from(i, 5000 + i))).refusal?.reason, 'nonce-spent');
    assert.deepEqual(node.begun, []);
  });

  it('by many such checks, each of them once', async () => {
    const node = new Node();
    for (let i = 0; i < 50; i++) {
      assert.equal((await node.ask(paid(`n${i}`), from(2 * i, 5000 + 2 * i))).granted, true);
      const { refusal } = await node.ask(paid(`n${i}`), from(2 * i + 1, 5001 + 2 * i));
      assert.equal(refusal?.reason, 'nonce-spent');
    }
    assert.deepEqual(node.begun, []);
  });

  it('by such a check with other text around what is signed: it is the same', async () => {
    const node = new Node();
    const text = check('heard');
    await node.ask(paid('heard', text), from(0, 5000));
    const changed = [
      (i: number) => `${'\n'.repeat(i)}${text}`,
      (i: number) => `${text}\n${' '.repeat(i)}more`,
      (i: number) => text.replace('Signature:', `Sig:${' '.repeat(i)}`),
    ];
    let spent = 0;
    for (let i = 1; i < 60; i++) {
      const verdict = await node.ask(paid('heard', changed[i % 3]!(i)), from(i, 5000 + i));
      if (verdict.refusal?.reason === 'nonce-spent') spent++;
    }
    assert.ok(spent >= 20, 'some of them are well-formed');
    assert.equal(node.isAliceIn, false);
  });

  it('by many checks that were overheard, with other amounts, offers or authorizations than theirs', async () => {
    const node = new Node();
    const mallorys = signed(
      'mallory',
      `Authorizer: "${principal('mallory')}"\nLicensees: "${principal('alice')}"\nConditions: &amount < 0.01 -> "true";\n`,
    );
    // Martha's name under a limit of Mallory's making.
    const forged = authorization('martha', 'alice', '0.01').replace(...WRONG);
    for (let i = 0; i < 100; i++) {
      const overheard = check(`n${i}`);
      const own = claims({ nonce: `n${i}` });
      for (const contents of [
        {
          claims: claims({ nonce: `n${i}`, amount: '0.60' }),
          assertions: [overheard, offered(), authorization()],
        },
        { claims: own, assertions: [overheard, offered()] },
        { claims: own, assertions: [overheard, authorization()] },
        { claims: own, assertions: [overheard, offered({ price: '0.50' }), authorization()] },
        { claims: own, assertions: [overheard, offered(), mallorys] },
        { claims: own, assertions: [overheard, offered(), forged] },
        { claims: own, assertions: [overheard, offered(), authorization('mallory', 'alice', '0.01')] },
      ])
        assert.equal((await node.ask(contents, from(i))).granted, false);
    }
    assert.deepEqual(node.begun, []);
  });

  it('by one of its own too dear checks, repeated: each signed text counts once', async () => {
    const node = new Node();
    for (let i = 0; i < 100; i++) {
      const garbage = signed('mallory', `Authorizer: "${principal('mallory')}"\nComment: ${i}\n`).replaceAll(
        principal('mallory'),
        principal('alice'),
      );
      await node.ask(tooDear(1, [offered(), authorization(), garbage]), from(i));
    }
    assert.equal(node.isAliceIn, false);
  });

  it('by a spent nonce of one key beside a check of another', async () => {
    const node = new Node();
    const hers = check('hers');
    assert.equal((await node.ask(paid('once'), from(0, 5000))).granted, true);
    for (let i = 1; i < 50; i++) {
      const contents = paid('once');
      const assertions = [check(`other${i}`), hers, ...contents.assertions];
      await node.ask({ ...contents, assertions }, from(i, 5000 + i));
    }
    assert.equal(node.isAliceIn, false);
  });

  it('by anything that Mallory makes of what she has heard', async function () {
    this.timeout(60_000);
    const heard = [
      check('a'),
      check('b', '0.10'),
      check('c', '0.44', { address: '192.0.2.7', protocol: 17, port: 5004 }),
      authorization(),
      offered(),
      offered({ price: '0.10' }),
    ];
    const mallorys = [
      signed(
        'mallory',
        `Authorizer: "${principal('mallory')}"\nLicensees: "${principal('alice')}"\nConditions: nonce == "a" && &amount < 0.05;\n`,
      ),
      signed(
        'mallory',
        `Authorizer: "${principal('mallory')}"\nLicensees: "${principal('nick')}"\nConditions: nonce == "a";\n`,
      ),
    ];
    const node = new Node();
    const text = fc.oneof(
      fc.constantFrom(...heard, ...mallorys),
      fc
        .tuple(
          fc.constantFrom(...heard, ...mallorys),
          fc.nat(),
          fc.constantFrom('', ' ', 'A', '9', '"', '\n', 'alice'),
        )
        .map(([one, at, put]) => `${one.slice(0, at % one.length)}${put}${one.slice((at % one.length) + 1)}`),
      fc
        .tuple(fc.constantFrom(...heard, ...mallorys), fc.constantFrom('0.44', '0.60', '9.99'))
        .map(([one, amount]) => one.replace(/0\.\d\d/, amount)),
      fc.constantFrom(...mallorys).map((one) => one.replaceAll(principal('mallory'), principal('alice'))),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('a', 'b', 'c', 'd'),
        fc.constantFrom('0.10', '0.44', '0.60'),
        fc.array(text, { maxLength: 6 }),
        fc.integer({ min: 5000, max: 5010 }),
        async (nonce, amount, assertions, port) => {
          await node.ask({ claims: claims({ nonce, amount }), assertions }, from(count++, port));
          assert.equal(node.isAliceIn, false);
        },
      ),
      { numRuns: 1500 },
    );
    assert.equal(node.begun.filter(({ kind }) => kind === 'key').length, 0);
  });
});

describe('doorkeeper: who is in quarantine', () => {
  const CASES = [
    ['a key', ALICE],
    ['a neighbour', SOURCE],
    ['a router', { kind: 'pep', id: 'edge-1' }],
  ] as const;
  for (const [what, party] of CASES) {
    it(`as ${what} is refused as such before any signature is looked at, and asked again afterwards`, async () => {
      const node = new Node();
      node.quarantine.load([{ ...party, since: 0, until: MINUTE, failures: 7, reason: 'bad-signature' }], 0);
      const misses = node.cache.misses;
      const verdict = await node.ask(paid('eb2c3dfc8e9a'));
      assert.equal(verdict.refusal?.reason, 'quarantined');
      assert.match(
        verdict.reason,
        /failed 7 times \(`bad-signature`\): not listened to until 1970-01-01T00:01:00/,
      );
      assert.equal(verdict.errorObjects?.length, 2, 'it is told as any other refusal');
      assert.equal(node.verified, 0);
      assert.equal(node.cache.size, 0);
      if (party.kind !== 'key') assert.equal(node.cache.misses, misses, 'nothing was parsed');
      assert.deepEqual(node.doorkeeper.refusals, { key: 0, source: 0, pep: 0, [party.kind]: 1 });
      node.now = MINUTE;
      assert.equal((await node.ask(paid('eb2c3dfc8e9a'))).granted, true);
      assert.notEqual(node.verified, 0);
    });
  }

  it('as a key is known however it is written', async () => {
    const node = new Node();
    node.quarantine.load([{ ...ALICE, since: 0, until: MINUTE, failures: 1, reason: 'nonce-spent' }], 0);
    const hex = KEYS.alice.principal.toText('hex');
    const text = check().replace(
      principal('alice'),
      hex.replace(/[a-f]/g, (digit) => digit.toUpperCase()),
    );
    assert.equal(authorOf(parseAssertion(text))?.id, KEYS.alice.principal.id);
    assert.equal((await node.ask(paid('eb2c3dfc8e9a', text))).refusal?.reason, 'quarantined');
  });

  it('is not refused what is free, nor what a router has merged', async () => {
    const node = new Node();
    const shut = { since: 0, until: MINUTE, failures: 1, reason: 'bad-element' } as const;
    assert.equal((await node.ask(paid('eb2c3dfc8e9a'))).granted, true);
    node.quarantine.load(
      [
        { ...SOURCE, ...shut },
        { kind: 'pep', id: 'edge-1', ...shut },
      ],
      0,
    );
    assert.equal((await node.ask(undefined, { message: 'Path' })).granted, true);
    assert.equal((await node.ask(undefined, { incoming: false, holder: 'out' })).granted, true);
  });

  it('as a neighbour harms no other user of its router, even by garbage without end', async () => {
    const node = new Node();
    const garbage = { claims: claims({ amount: 'much' }), assertions: [] };
    for (let i = 0; i < 5000; i++) await node.ask(garbage);
    assert.deepEqual(
      node.begun.map(({ kind, id }) => [kind, id]),
      [['source', SOURCE.id]],
    );
    assert.equal((await node.ask(paid('eb2c3dfc8e9a'))).refusal?.reason, 'quarantined');
    const whole = request(paid('eb2c3dfc8e9a'));
    const objects = whole.objects.map((object) =>
      RsvpHopIpv4.is(object)
        ? RsvpHopIpv4.make({ hopAddress: '192.0.2.8', logicalInterfaceHandle: 0 })
        : object,
    );
    assert.equal((await node.askFor({ ...whole, objects })).granted, true);
  });

  it('as a router is there after thousands of failures of its many neighbours', async function () {
    this.timeout(10_000);
    const node = new Node();
    const whole = request({ claims: claims({ amount: 'much' }), assertions: [] });
    for (let i = 0; i < 3000; i++) {
      const hop = RsvpHopIpv4.make({ hopAddress: `10.0.${i >> 8}.${i & 255}`, logicalInterfaceHandle: 0 });
      await node.askFor({ ...whole, objects: whole.objects.map((one) => (RsvpHopIpv4.is(one) ? hop : one)) });
    }
    assert.deepEqual(
      node.begun.map(({ kind, id }) => [kind, id]),
      [['pep', 'edge-1']],
    );
    assert.equal((await node.ask(paid('eb2c3dfc8e9a'), { pepId: 'edge-2' })).granted, true);
  });
});

describe('doorkeeper: a refusal', () => {
  it('of every kind has somebody, or nobody, that it counts against', () => {
    assert.deepEqual(Object.keys(COUNTS_AGAINST).sort(), Object.keys(REFUSALS).sort());
  });

  it('of a credential that we forgot counts against nobody, and costs no parsing', async () => {
    const node = new Node();
    for (let i = 0; i < 100; i++) {
      const contents = { ...paid(`n${i}`), references: ['00'.repeat(32)] };
      assert.equal((await node.ask(contents)).refusal?.reason, 'unknown-reference');
    }
    assert.deepEqual([node.begun, node.cache.misses], [[], 0]);
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  ControlledLoad,
  FF,
  FilterSpecIpv4,
  Flowspec,
  GeneralParameters,
  GuaranteedRspec,
  GuaranteedService,
  SE,
  SenderTemplateIpv4,
  SessionIpv4,
  Style,
  TokenBucketTspec,
} from '../../../rsvp/wire/index.js';
import type { WireObject } from '../../../rsvp/wire/index.js';
import { CredentialCache } from '../../keynote/index.js';
import { PAYMENT_RSVP } from '../index.js';
import type { PaymentContents, PaymentRequest, RefusalReason, Verdict } from '../index.js';
import { amountProblem } from '../money.js';
import {
  authorization,
  cashier,
  check,
  CLAIMS,
  claims,
  KEYS,
  nick,
  NOW,
  offered,
  principal,
  request,
  signed,
} from './world.js';
import type { Changes, Person } from './world.js';

const PAID: PaymentContents = { claims: CLAIMS, assertions: [check(), offered(), authorization()] };

/** A paid request with other objects behind its payment: `PAID` is good for 50 Mbit/s. */
function reserving(style: number, ...flows: readonly WireObject[]): PaymentRequest {
  return replaced(
    (object) => ![Style.classNum, Flowspec.classNum, FilterSpecIpv4.classNum].includes(object.classNum),
    Style.make({ flags: 0, optionVector: style }),
    ...flows,
  );
}

function replaced(keep: (object: WireObject) => boolean, ...more: readonly WireObject[]): PaymentRequest {
  const whole = request(PAID);
  const octets = PAYMENT_RSVP.encode({ msgType: 2, objects: [...whole.objects.filter(keep), ...more] });
  return { ...whole, objects: PAYMENT_RSVP.decode(octets, []).objects };
}

function bucket(bitRate: number, peakDataRate = Infinity) {
  return TokenBucketTspec.make({
    flags: 0,
    tokenBucketRate: bitRate / 8,
    tokenBucketSize: 1500,
    peakDataRate,
    minimumPolicedUnit: 64,
    maximumPacketSize: 1500,
  });
}

function flowspec(...rates: number[]): WireObject {
  const services = rates.map((rate) => ControlledLoad.make({ flags: 0, parameters: [bucket(rate)] }));
  return Flowspec.make({ version: 0, services });
}

function filter(srcPort: number): WireObject {
  return FilterSpecIpv4.make({ srcAddress: '198.51.100.9', srcPort });
}

function of(classNum: number, cType: number): WireObject {
  return { class: '', classNum, cType, length: 12, body: new Uint8Array(8) } as WireObject;
}

function assertRefused(verdict: Verdict, reason: RefusalReason, text = /./): void {
  assert.equal(verdict.granted, false, verdict.reason);
  assert.equal(verdict.refusal?.reason, reason, verdict.reason);
  assert.match(verdict.reason, text);
}

const HALF = 25_000_000;

describe('payment: what is reserved is what was judged', () => {
  it('FF: a FLOWSPEC counts once for each FILTER_SPEC that follows it (RFC 2205 3.1.4)', () => {
    const two = nick().decide(reserving(FF, flowspec(HALF), filter(1), filter(2)), NOW);
    assert.equal(two.attributes.get('bandwidth'), '50000000');
    assert.equal(two.granted, true, two.reason);
    const three = reserving(FF, flowspec(HALF), filter(1), filter(2), filter(3));
    assertRefused(nick().decide(three, NOW), 'bandwidth-exceeded', /75000000/);
    const mixed = reserving(FF, flowspec(HALF), filter(1), filter(2), flowspec(8), filter(3));
    assertRefused(nick().decide(mixed, NOW), 'bandwidth-exceeded', /50000008/);
  });

  it('SE: all senders share the only FLOWSPEC', () => {
    const shared = nick().decide(reserving(SE, flowspec(2 * HALF), filter(1), filter(2), filter(3)), NOW);
    assert.equal(shared.granted, true, shared.reason);
    assert.equal(shared.attributes.get('bandwidth'), '50000000');
    const twice = reserving(SE, flowspec(HALF), flowspec(HALF), filter(1));
    assertRefused(nick().decide(twice, NOW), 'bad-request', /more than one FLOWSPEC/);
  });

  const guaranteed = (...parameters: Parameters<typeof GuaranteedService.make>[0]['parameters']) =>
    Flowspec.make({ version: 0, services: [GuaranteedService.make({ flags: 0, parameters })] });
  const rspec = GuaranteedRspec.make({ rate: 1000, slackTerm: 0, flags: 0 });
  const general = GeneralParameters.make({ flags: 0, parameters: [bucket(8)] });
  const twoBuckets = ControlledLoad.make({ flags: 0, parameters: [bucket(8), bucket(1e9)] });
  const cases: [what: string, ask: PaymentRequest, text: RegExp][] = [
    ['a FLOWSPEC of another C-Type', reserving(FF, flowspec(8), filter(1), of(9, 1), filter(2)), /FLOWSPEC/],
    ['a FILTER_SPEC of another kind', reserving(FF, flowspec(8), filter(1), of(10, 77)), /FILTER_SPEC/],
    ['a FILTER_SPEC before the FLOWSPEC', reserving(FF, filter(1), flowspec(8)), /before/],
    ['two services', reserving(FF, flowspec(8, 1e9), filter(1)), /one known service/],
    ['no service', reserving(FF, flowspec(), filter(1)), /one known service/],
    [
      'parameters of no service',
      reserving(FF, Flowspec.make({ version: 0, services: [general] }), filter(1)),
      /one known service/,
    ],
    [
      'two token buckets',
      reserving(FF, Flowspec.make({ version: 0, services: [twoBuckets] }), filter(1)),
      /twice/,
    ],
    ['guaranteed service without R', reserving(FF, guaranteed(bucket(8)), filter(1)), /guaranteed/],
    ['guaranteed service with two R', reserving(FF, guaranteed(bucket(8), rspec, rspec), filter(1)), /twice/],
    [
      'flows of different services',
      reserving(FF, flowspec(8), filter(1), guaranteed(bucket(8), rspec), filter(2)),
      /differ/,
    ],
    [
      'two SESSIONs',
      replaced(
        () => true,
        SessionIpv4.make({ destAddress: '192.0.2.8', protocolId: 17, flags: 0, dstPort: 1 }),
      ),
      /more than one SESSION/,
    ],
    ['a second SESSION of another kind', replaced(() => true, of(1, 77)), /more than one SESSION/],
    ['two STYLEs', replaced(() => true, Style.make({ flags: 0, optionVector: SE })), /more than one STYLE/],
  ];
  for (const [what, ask, text] of cases) {
    it(`${what}: refused as ambiguous`, () => {
      assertRefused(nick().decide(ask, NOW), 'bad-request', text);
    });
  }

  it('a SENDER_TEMPLATE in a Resv names no sender: a nonce cannot be carried to another flow by it', async () => {
    const policyNode = await cashier();
    const template = (srcPort: number) => SenderTemplateIpv4.make({ srcAddress: '198.51.100.9', srcPort });
    assert.equal(
      (await policyNode.decide(reserving(FF, flowspec(8), filter(1), template(2)), NOW)).granted,
      true,
    );
    const other = { ...reserving(FF, flowspec(8), filter(2), template(1)), holder: 'edge-1 h2' };
    assertRefused(await policyNode.decide(other, NOW), 'nonce-spent');
  });

  it('an integer beyond 32 bits is below no limit', () => {
    const capped = signed(
      'nick',
      `Authorizer: "${principal('nick')}"\nLicensees: "${principal('route')}"\nConditions: @bandwidth <= 2048 -> "true";\n`,
    );
    const contents = { claims: CLAIMS, assertions: [check(), capped, authorization()] };
    const verdict = nick().decide(request(contents, { bandwidth: 5e9 }), NOW);
    assertRefused(verdict, 'bandwidth-exceeded', /5000000000/);
    assert.equal(nick().decide(request(contents, { bandwidth: 2048 }), NOW).granted, true);
  });

  it('an infinite peak rate is above every limit', () => {
    const capped = signed(
      'nick',
      `Authorizer: "${principal('nick')}"\nLicensees: "${principal('route')}"\nConditions: &peak_data_rate <= 80000.0 -> "true";\n`,
    );
    const assertions = [check(), capped, authorization()];
    const verdict = nick().decide(request({ claims: CLAIMS, assertions }), NOW);
    assertRefused(verdict, 'not-authorized', /peak_data_rate/);
  });
});

describe('payment: amounts', () => {
  // Whole numbers of a millionth: exact, where the conditions have floats.
  const millionths = (text: string): bigint => {
    const [whole = '', fraction = ''] = text.split('.');
    return BigInt(whole + fraction.padEnd(12, '0'));
  };
  const amount = fc
    .tuple(fc.integer({ min: 1, max: 9_999_999 }), fc.integer({ min: -6, max: 3 }))
    .map(([digits, exponent]) => {
      const text = String(digits).padStart(7, '0');
      const decimal =
        exponent < 0 ? `${text.slice(0, exponent)}.${text.slice(exponent)}` : text + '0'.repeat(exponent);
      return decimal.replace(/^0+(?=\d)/, '');
    })
    .filter((text) => amountProblem(text) === undefined);

  it('that are good compare as floats in the order of their values, and equal to no other', () => {
    fc.assert(
      fc.property(amount, amount, fc.integer({ min: -1, max: 1 }), (a, other, step) => {
        const near = a.replace(/\d$/, (digit) => String(Math.min(9, Math.max(0, Number(digit) + step))));
        for (const b of [other, near]) {
          if (amountProblem(b) !== undefined) continue;
          const exact = millionths(a) < millionths(b) ? -1 : millionths(a) > millionths(b) ? 1 : 0;
          assert.equal(Math.sign(Math.fround(Number(a)) - Math.fround(Number(b))), exact, `${a} ${b}`);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('that a float cannot tell from another one are refused', () => {
    for (const text of ['0.439999999', '0.43999999', '100000000.1', '1000000000', '0.0000001'])
      assert.notEqual(amountProblem(text), undefined, text);
    for (const text of ['0.44', '0.440000000', '99999.99', '9999999', '50000000', '1000000.00', '0.000001'])
      assert.equal(amountProblem(text), undefined, text);
  });
});

describe('payment: refusals', () => {
  const on = (conditions: string) =>
    signed(
      'nick',
      `Authorizer: "${principal('nick')}"\nLicensees: "${principal('route')}"\nConditions: ${conditions} -> "true";\n`,
    );
  const refusedBy = (conditions: string, changes: Changes = {}): Verdict =>
    nick().decide(
      request({ claims: CLAIMS, assertions: [check(), on(conditions), authorization()] }, changes),
      NOW,
    );

  it('tell what is over from what is not yet, on either side of a comparison', () => {
    const cases: [conditions: string, reason: RefusalReason][] = [
      ['date < "20071120"', 'expired'],
      ['"20071120" > date', 'expired'],
      ['date == "20071119"', 'expired'],
      ['(date . time) < "20071120120000"', 'expired'],
      ['date >= "20071121"', 'not-authorized'],
      ['"20071121" <= date', 'not-authorized'],
      ['date == "20071121"', 'not-authorized'],
      ['&bandwidth <= 1000.0', 'bandwidth-exceeded'],
      ['1000.0 >= &bandwidth', 'bandwidth-exceeded'],
      ['@bandwidth / 1000 <= 49999', 'bandwidth-exceeded'],
      ['&bandwidth >= 60000000.0', 'not-authorized'],
      ['time < "120000"', 'not-authorized'],
    ];
    for (const [conditions, reason] of cases) {
      const verdict = refusedBy(conditions);
      assert.equal(verdict.refusal?.reason, reason, `${conditions}: ${verdict.reason}`);
    }
  });

  it('call whoever is missing by name', () => {
    const names = new Map([
      [KEYS.nick.principal.id, 'Nick'],
      [KEYS.alice.principal.id, 'Alice'],
    ]);
    const verdict = nick({ names }).decide(
      request({ claims: CLAIMS, assertions: [offered(), authorization()] }),
      NOW,
    );
    assertRefused(verdict, 'not-authorized', /Alice did not request this, and no assertion by Alice/);
  });

  it('are printable and short whatever the credentials say, and fit their objects', () => {
    const verdicts = [
      refusedBy('nonce == "\xe9\x01\x1b[31m"'),
      refusedBy(`nonce == "${'\xff'.repeat(2000)}"`),
      nick().decide(
        request({ claims: CLAIMS, assertions: ['KeyNote-Version: "\xe9\x1b"\nAuthorizer: "x"\n'] }),
        NOW,
      ),
      nick().decide(request({ claims: claims({ amount: '9'.repeat(50_000) }), assertions: [] }), NOW),
      nick().decide(request({ claims: claims({ currency: 'x'.repeat(50_000) }), assertions: [] }), NOW),
    ];
    for (const { granted, reason, errorObjects } of verdicts) {
      assert.equal(granted, false);
      assert.match(reason, /^[ -~]{1,512}$/);
      assert.ok(PAYMENT_RSVP.encode({ msgType: 4, objects: errorObjects! }).length < 600);
    }
  });
});

describe('payment: what a request may cost', () => {
  it('a signature by a key that nobody trusts is not checked, nor the credential kept, where a node key is asked', () => {
    const text = `Authorizer: "POLICY"\nLicensees: "${principal('nick')}"\n`;
    const policyNode = nick({ text, routes: {}, nodeKeys: [principal('route')] });
    const asking = signed(
      'mallory',
      `Authorizer: "${principal('mallory')}"\nLicensees: "${principal('route')}"\nConditions: nonce == "eb2c3dfc8e9a" -> "true";\n`,
    );
    assertRefused(
      policyNode.decide(request({ claims: CLAIMS, assertions: [asking] }), NOW),
      'not-authorized',
    );
    assert.equal(policyNode.cache.size, 0);
  });

  it('an author of any text does no harm where a node key is asked', () => {
    const policyNode = nick({ nodeKeys: [principal('route')] });
    const author = '\\x01'.repeat(15_000);
    const asking = `Authorizer: "${author}"\nLicensees: "${principal('route')}"\nConditions: nonce == "eb2c3dfc8e9a" -> "true";\n`;
    const contents = { claims: CLAIMS, assertions: [asking] };
    assertRefused(policyNode.decide(request(contents, { deflate: true }), NOW), 'not-authorized');
  });

  it('verified credentials are kept up to so many octets, however many and long they are', () => {
    const cache = new CredentialCache({ octets: 10_000 });
    const policyNode = nick({ cache });
    for (let i = 0; i < 40; i++) {
      const unsigned = check().replace(/Signature: .*\n/, '');
      const padded = signed('alice', unsigned.replace('Comment: ', `Comment: ${'x'.repeat(i * 20)}`));
      policyNode.decide(request({ ...PAID, assertions: [padded, offered(), authorization()] }), NOW);
    }
    assert.ok(cache.size > 3 && cache.octets <= 10_000, `${cache.size} ${cache.octets}`);
  });

  it('a handful of wrong signatures, after which the others are not looked at', () => {
    const forged = Array.from({ length: 30 }, (_, i) =>
      authorization().replace('Comment: ', `Comment: ${i} `),
    );
    const { answer } = nick().decide(request({ ...PAID, assertions: [check(), offered(), ...forged] }), NOW);
    const unread = answer?.explanation.failures.filter(({ message }) => /not looked at/.test(message));
    assert.ok(unread !== undefined && unread.length >= 25, String(unread?.length));
  });

  it('a thousand tests of long claims are refused in no time', () => {
    const long = 'a'.repeat(20_000);
    let test = 'p > q';
    for (let depth = 0; depth < 30; depth++) test = `(${test})${' || p > q'.repeat(7)}`;
    const forged = (by: Person): string =>
      `Authorizer: "${principal(by)}"\nLicensees: "${principal('route')}"\nConditions: ${test};\nSignature: "sig-ed25519-base64:AAAA"\n`;
    const contents = {
      claims: [...CLAIMS, ['p', long], ['q', long]] as const,
      assertions: Array.from({ length: 14 }, () => forged('martha')),
    };
    const ask = request(contents, { deflate: true });
    const start = performance.now();
    assertRefused(nick().decide(ask, NOW), 'not-authorized');
    assert.ok(performance.now() - start < 1000);
  });
});

describe('payment: a reservation is charged once a nonce', () => {
  it('a new check for it is a new charge, the old one presented again is none', async () => {
    const policyNode = await cashier();
    const renewed = {
      claims: claims({ nonce: 'second' }),
      assertions: [check('second'), offered(), authorization()],
    };
    const decide = async (contents: PaymentContents, holder: string) =>
      (await policyNode.decide(request(contents, { holder }), NOW)).again;
    assert.equal(await decide(PAID, 'h1'), false);
    assert.equal(await decide(renewed, 'h1'), false);
    assert.equal(await decide(PAID, 'h1'), true);
    policyNode.report('h1', true, NOW);
    policyNode.forget('h1', NOW);
    // The router was away, and asks again for what was installed and paid.
    assert.equal(await decide(PAID, 'h2'), true);
  });
});

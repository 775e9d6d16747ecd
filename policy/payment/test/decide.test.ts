import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { ErrorSpecIpv4, firstOf, PolicyData } from '../../../rsvp/wire/index.js';
import { PrivateKey, signAssertion } from '../../keynote/index.js';
import { creditAuthorization, PaymentElement, PaymentError, REFUSALS } from '../index.js';
import type { PaymentContents, RefusalReason, Verdict } from '../index.js';
import {
  authorization,
  cashier,
  check,
  CLAIMS,
  claims,
  JOINT,
  nick,
  NOW,
  offered,
  principal,
  request,
  signed,
} from './world.js';
import type { Changes } from './world.js';

const PAID: PaymentContents = { claims: CLAIMS, assertions: [check(), offered(), authorization()] };

function paid(changes: Readonly<Record<string, string>>, ...assertions: string[]): PaymentContents {
  return { claims: claims(changes), assertions: assertions.length === 0 ? PAID.assertions : assertions };
}

function assertRefused(verdict: Verdict, reason: RefusalReason, text: RegExp): void {
  assert.equal(verdict.granted, false, verdict.reason);
  assert.equal(verdict.refusal?.reason, reason, verdict.reason);
  assert.match(verdict.reason, text);
}

describe('payment: a request is granted', () => {
  it('when check, authorization and offer lead from the policy to the ROUTE key, as in the paper', () => {
    const verdict = nick().decide(request(PAID), NOW);
    assert.equal(verdict.granted, true, verdict.reason);
    assert.equal(verdict.payment?.nonce, 'eb2c3dfc8e9a');
    assert.equal(verdict.attributes.get('bandwidth'), '50000000');
    assert.equal(verdict.attributes.get('date'), '20071120');
  });

  it('in the order in which credentials come, whatever it is', () => {
    for (const order of [
      [2, 1, 0],
      [1, 0, 2],
      [0, 2, 1],
    ]) {
      const assertions = order.map((i) => PAID.assertions[i]!);
      assert.equal(nick().decide(request({ ...PAID, assertions }), NOW).granted, true);
    }
  });

  it('when the credentials are deflated', () => {
    assert.equal(nick().decide(request(PAID, { deflate: true }), NOW).granted, true);
  });

  it('when a bank stands behind the content provider (POLICY -> BANK && ISP, BANK -> CP)', () => {
    const bank = new PrivateKey(generateKeyPairSync('ed25519').privateKey);
    const bankText = bank.principal.toText('base64');
    const policy = JOINT.replace(principal('martha'), bankText);
    const backing = signAssertion(
      creditAuthorization({
        from: bankText,
        to: principal('martha'),
        appDomain: 'Band-X',
        limit: { atMost: { amount: '100', currency: 'USD' } },
      }),
      bank,
    );
    const policyNode = nick({ text: policy });
    assert.equal(policyNode.decide(request(PAID), NOW).granted, false);
    const assertions = [...PAID.assertions, backing];
    assert.equal(policyNode.decide(request({ ...PAID, assertions }), NOW).granted, true);
  });

  it('over a chain of twelve middlemen', () => {
    const middlemen = Array.from(
      { length: 12 },
      () => new PrivateKey(generateKeyPairSync('ed25519').privateKey),
    );
    const names = [...middlemen.map((key) => key.principal.toText('base64')), principal('martha')];
    const links = middlemen.map((key, i) =>
      signAssertion(
        creditAuthorization({
          from: names[i]!,
          to: names[i + 1]!,
          appDomain: 'Band-X',
          limit: { below: { amount: '1.00', currency: 'USD' } },
        }),
        key,
      ),
    );
    const policyNode = nick({ text: JOINT.replace(principal('martha'), names[0]!) });
    const chain = { ...PAID, assertions: [...PAID.assertions, ...links] };
    assert.equal(policyNode.decide(request(chain), NOW).granted, true);
    const broken = { ...chain, assertions: chain.assertions.toSpliced(7, 1) };
    assert.equal(
      nick({ text: JOINT.replace(principal('martha'), names[0]!) }).decide(request(broken), NOW).granted,
      false,
    );
  });

  it('in the shape of Figure 3: NE-12 trusts the ISP, the ISP trusts the CP, Alice signed the request', () => {
    const text = `Authorizer: "POLICY"\nLicensees: "${principal('nick')}"\n`;
    const node = { text, routes: {}, nodeKeys: [principal('route')] };
    const spending = signed(
      'nick',
      `Authorizer: "${principal('nick')}"\nLicensees: "${principal('martha')}"\nConditions: &amount <= 1.00 -> "true";\n`,
    );
    const asked = signed(
      'alice',
      `Authorizer: "${principal('alice')}"\nLicensees: "${principal('route')}"\nConditions: nonce == "eb2c3dfc8e9a" && amount == "0.44" && session_address == "192.0.2.7" -> "true";\n`,
    );
    const contents = { claims: CLAIMS, assertions: [spending, authorization(), asked] };
    const verdict = nick(node).decide(request(contents), NOW);
    assert.equal(verdict.granted, true, verdict.reason);
    // Without Alice's signature nobody has asked.
    const silent = { ...contents, assertions: contents.assertions.slice(0, 2) };
    assert.equal(nick(node).decide(request(silent), NOW).granted, false);
    // Her signature over another amount is no request for this one.
    assert.equal(
      nick(node).decide(request({ ...contents, claims: claims({ amount: '0.50' }) }), NOW).granted,
      false,
    );
  });

  it('when it refers to credentials by SHA-256 that the policy node has accepted before, and only then', () => {
    const policyNode = nick();
    const references = PAID.assertions.map((text) =>
      createHash('sha256').update(text, 'latin1').digest('hex'),
    );
    const short = { claims: CLAIMS, assertions: [], references };
    assertRefused(policyNode.decide(request(short), NOW), 'unknown-reference', /send it whole/);
    assert.equal(policyNode.decide(request(PAID), NOW).granted, true);
    assert.equal(policyNode.decide(request(short), NOW).granted, true);
  });

  it('as Path, without payment: only reservations are paid for', () => {
    assert.equal(nick().decide(request(undefined, { message: 'Path' }), NOW).granted, true);
  });
});

describe('payment: a request is refused', () => {
  const cases: [
    what: string,
    contents: PaymentContents | undefined,
    changes: Changes,
    reason: RefusalReason,
    text: RegExp,
  ][] = [
    ['without a payment element', undefined, {}, 'no-payment', /no payment element/],
    [
      'when the amount is above the authorization',
      paid({ amount: '0.60' }, check(undefined, '0.60'), offered(), authorization()),
      {},
      'not-authorized',
      /amount 0\.60 is not < 0\.56, line 7, in the credit authorization by/,
    ],
    [
      'when the amount is below the offer',
      paid({ amount: '0.43' }, check(undefined, '0.43'), offered(), authorization()),
      {},
      'not-authorized',
      /amount 0\.43 is not >= 0\.44, line \d+, in the offer by/,
    ],
    [
      'above the offered bandwidth',
      PAID,
      { bandwidth: 50_000_008 },
      'bandwidth-exceeded',
      /bandwidth 50000008 is not <= 50000000/,
    ],
    ['on another link', PAID, { linkName: 'Dublin-London' }, 'not-authorized', /link_name "Dublin-London"/],
    ['on a link without a name', PAID, { linkName: undefined }, 'not-authorized', /link_name \(not set\)/],
    ['when the check is missing', paid({}, offered(), authorization()), {}, 'not-authorized', /./],
    ['when the offer is missing', paid({}, check(), authorization()), {}, 'not-authorized', /./],
    ['when the authorization is missing', paid({}, check(), offered()), {}, 'not-authorized', /./],
    [
      'when a claim was changed on the way',
      paid({ amount: '0.50' }),
      {},
      'not-authorized',
      /amount "0\.50" is not == "0\.44"/,
    ],
    ['when another currency is claimed', paid({ currency: 'EUR' }), {}, 'not-authorized', /currency "EUR"/],
    [
      'when the nonce is not the one of the check',
      paid({ nonce: 'other' }),
      {},
      'not-authorized',
      /nonce "other"/,
    ],
    [
      'when a claim would override an observation',
      paid({ bandwidth: '1' }),
      {},
      'claim-overrides',
      /`bandwidth` is observed/,
    ],
    ['when a claim is a name of RFC 2704', paid({ _MIN_TRUST: 'true' }), {}, 'bad-claim', /_MIN_TRUST/],
    ['when the amount is negative', paid({ amount: '-0.44' }), {}, 'bad-claim', /-0\.44/],
    ['when the amount is no decimal', paid({ amount: '4.4e-1' }), {}, 'bad-claim', /4\.4e-1/],
    [
      'when the amount has more digits than a float tells apart',
      paid({ amount: '0.5599999999999999999' }),
      {},
      'bad-claim',
      /7 significant digits/,
    ],
    ['when the amount is missing', { ...PAID, claims: CLAIMS.slice(1) }, {}, 'bad-claim', /amount/],
    [
      'when the offer is by somebody else',
      paid({}, check(), offered({ from: 'mallory' }), authorization()),
      {},
      'not-authorized',
      /./,
    ],
    [
      'when the authorization is by somebody else',
      paid({}, check(), offered(), authorization('mallory')),
      {},
      'not-authorized',
      /./,
    ],
    [
      'when a signature is forged',
      paid(
        {},
        check().replace(/Signature: .*/, /Signature: .*/.exec(check('x'))![0]),
        offered(),
        authorization(),
      ),
      {},
      'bad-signature',
      /signature.*microcheck/,
    ],
    [
      'when a signed text was changed',
      paid({}, check(), offered(), authorization().replace('0.56', '9.56')),
      {},
      'bad-signature',
      /credit authorization/,
    ],
    [
      'when a credential is no KeyNote',
      paid({}, 'Bonjour', offered()),
      {},
      'bad-credential',
      /credential 1, line 1/,
    ],
    [
      'when there are too many credentials',
      paid({}, ...Array<string>(33).fill(offered())),
      {},
      'too-large',
      /32/,
    ],
    [
      'for the wrong application',
      paid({}, ...PAID.assertions.map((text) => text.replace('Band-X', 'BAND-X'))),
      {},
      'not-authorized',
      /./,
    ],
  ];
  for (const [what, contents, changes, reason, text] of cases) {
    it(what, () => {
      const policyNode = nick();
      assertRefused(policyNode.decide(request(contents, changes), NOW), reason, text);
    });
  }

  it('after the day of the check, and after the end of the offer', () => {
    assertRefused(nick().decide(request(PAID), NOW + 86_400_000), 'expired', /date "20071121" is not/);
  });

  it('with a check that binds no nonce, which could be presented for ever', () => {
    const blank = signed(
      'alice',
      `Authorizer: "${principal('alice')}"\nLicensees: "${principal('nick')}"\nConditions: amount == "0.44" && nonce != "" -> "true";\n`,
    );
    const verdict = nick().decide(request(paid({}, blank, offered(), authorization())), NOW);
    assertRefused(verdict, 'nonce-unbound', /binds the nonce/);
  });

  it('with old algorithms, unless the policy says that it takes them', () => {
    const key = new PrivateKey(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
    const text = JOINT.replace(principal('martha'), key.principal.toText('base64'));
    const old = signAssertion(
      creditAuthorization({
        from: key.principal.toText('base64'),
        to: principal('alice'),
        appDomain: 'Band-X',
        limit: { below: { amount: '0.56', currency: 'USD' } },
      }),
      key,
      'sig-rsa-sha1-base64',
    );
    const contents = paid({}, check(), offered(), old);
    assertRefused(nick({ text }).decide(request(contents), NOW), 'bad-signature', /./);
    assert.equal(nick({ text, algorithms: 'classic' }).decide(request(contents), NOW).granted, true);
  });

  it('when the payment element is malformed: ERR_PE_BAD, and never by what could be read of it', () => {
    const whole = request(PAID);
    const data = whole.objects.find((object) => PolicyData.is(object))!;
    const broken = {
      ...data,
      elements: [
        {
          element: 'PAYMENT',
          pType: 0xd0be,
          length: 8,
          body: Buffer.from('00ff0201', 'hex'),
          error: new Error('truncated'),
        },
      ],
    };
    const objects = whole.objects.map((object) => (object === data ? broken : object));
    const verdict = nick().decide({ ...whole, objects }, NOW);
    assertRefused(verdict, 'bad-element', /malformed/);
    assert.equal(firstOf(verdict.errorObjects!, ErrorSpecIpv4)?.errorValue, 13);
  });

  it('and answered with ERROR_SPEC code 2, the value of RFC 2750 Appendix A, and the reason in the error attribute', () => {
    const verdict = nick().decide(request(PAID, { bandwidth: 60_000_000 }), NOW);
    const spec = firstOf(verdict.errorObjects!, ErrorSpecIpv4);
    assert.equal(spec?.errorCode, 2); // Policy Control failure, RFC 2205 Appendix B
    assert.equal(spec.errorValue, 19); // ERR_FL_SPEC: FlowSpec was rejected (too large)
    assert.equal(spec.errorNodeAddress, '192.0.2.1');
    const data = verdict.errorObjects!.find((object) => PolicyData.is(object));
    const element = data?.elements.find((candidate) => PaymentElement.is(candidate));
    const error = element?.attributes.find((attribute) => PaymentError.is(attribute));
    assert.equal(error?.code, REFUSALS['bandwidth-exceeded'].code);
    assert.equal(error.reason, verdict.reason);
  });
});

describe('payment: a nonce pays for one reservation', () => {
  it('whose refreshes and other routers present it again, free of charge', async () => {
    const policyNode = await cashier();
    assert.equal((await policyNode.decide(request(PAID), NOW)).again, false);
    assert.equal((await policyNode.decide(request(PAID), NOW + 30_000)).again, true);
    const elsewhere = await policyNode.decide(
      request(PAID, { holder: 'core-2 h9', pepId: 'core-2' }),
      NOW + 40_000,
    );
    assert.equal(elsewhere.again, true);
  });

  it('and for no other one: the first use is named', async () => {
    const policyNode = await cashier();
    await policyNode.decide(request(PAID), NOW);
    const verdict = await policyNode.decide(request(PAID, { port: 5006, holder: 'edge-1 h2' }), NOW + 1);
    assertRefused(verdict, 'nonce-spent', /192\.0\.2\.7\/17\/5004 .* since 2007-11-20T20:00:00/);
  });

  it('also when the check is presented twice in one request, or beside another one', async () => {
    const policyNode = await cashier();
    const twice = paid({}, check(), check(), offered(), authorization());
    assert.equal((await policyNode.decide(request(twice), NOW)).granted, true);
    assertRefused(
      await policyNode.decide(request(PAID, { port: 5006, holder: 'h2' }), NOW),
      'nonce-spent',
      /5004/,
    );
  });

  it('unless the router could not install it, or let go of it before it did', async () => {
    for (const end of ['report', 'forget'] as const) {
      const policyNode = await cashier();
      await policyNode.decide(request(PAID), NOW);
      if (end === 'report') policyNode.report('edge-1 h1', false, NOW);
      else policyNode.forget('edge-1 h1', NOW);
      assert.equal((await policyNode.decide(request(PAID, { port: 5006, holder: 'h2' }), NOW)).granted, true);
    }
  });

  it('for good once a router has reported success, also when that router is gone', async () => {
    const policyNode = await cashier();
    await policyNode.decide(request(PAID), NOW);
    policyNode.report('edge-1 h1', true, NOW);
    policyNode.forget('edge-1 h1', NOW);
    assertRefused(
      await policyNode.decide(request(PAID, { port: 5006, holder: 'h2' }), NOW),
      'nonce-spent',
      /./,
    );
  });

  it('while one of two routers holds it, though the other failed', async () => {
    const policyNode = await cashier();
    await policyNode.decide(request(PAID), NOW);
    await policyNode.decide(request(PAID, { holder: 'core h1', pepId: 'core' }), NOW);
    policyNode.report('core h1', false, NOW);
    policyNode.report('edge-1 h1', true, NOW);
    assertRefused(
      await policyNode.decide(request(PAID, { port: 5006, holder: 'h2' }), NOW),
      'nonce-spent',
      /./,
    );
  });

  it('and a stranger who names the same nonce with credentials of his own does not spend it for Alice', async () => {
    const policyNode = await cashier();
    // Mallory is a customer of Martha's as well, and has seen Alice's nonce. He sends a forgery in her name along.
    const forged = check().replace(/Signature: .*/, /Signature: .*/.exec(authorization('mallory'))![0]);
    const own = signed(
      'mallory',
      check()
        .replaceAll(principal('alice'), principal('mallory'))
        .replace(/Signature: .*\n/, ''),
    );
    const contents = paid({}, own, forged, offered(), authorization('martha', 'mallory'));
    assert.equal(
      (await policyNode.decide(request(contents, { port: 6000, holder: 'm' }), NOW)).granted,
      true,
    );
    assert.equal((await policyNode.decide(request(PAID), NOW)).granted, true);
  });

  it('and a check bound to its session is worth nothing to a thief', () => {
    const bound = check(undefined, '0.44', { address: '192.0.2.7', protocol: 17, port: 5004 });
    const contents = paid({}, bound, offered(), authorization());
    assertRefused(
      nick().decide(request(contents, { port: 5006 }), NOW),
      'not-authorized',
      /session_port "5006"/,
    );
    assert.equal(nick().decide(request(contents), NOW).granted, true);
  });
});

describe('payment: what carries no payment of its own (RFC 2749 5.2)', () => {
  const only = { incoming: false, allocation: true, outgoing: false, holder: 'edge-1 merged' };

  it('is granted as far as incoming reservations of the session were', async () => {
    const policyNode = await cashier();
    assertRefused(
      await policyNode.decide(request(undefined, only), NOW),
      'no-payment',
      /192\.0\.2\.7\/17\/5004/,
    );
    await policyNode.decide(request(PAID), NOW);
    assert.equal((await policyNode.decide(request(undefined, only), NOW)).granted, true);
    const more = await policyNode.decide(request(undefined, { ...only, bandwidth: 50_000_008 }), NOW);
    assertRefused(more, 'bandwidth-exceeded', /50000008 is not <= 50000000/);
    const elsewhere = await policyNode.decide(request(undefined, { ...only, pepId: 'core' }), NOW);
    assertRefused(elsewhere, 'no-payment', /./);
    policyNode.forget('edge-1 h1', NOW);
    assertRefused(await policyNode.decide(request(undefined, only), NOW), 'no-payment', /./);
  });
});

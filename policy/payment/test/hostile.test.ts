import assert from 'node:assert/strict';
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
import { PAYMENT_RSVP } from '../index.js';
import type { PaymentContents, PaymentRequest, RefusalReason, Verdict } from '../index.js';
import { authorization, check, CLAIMS, nick, NOW, offered, principal, request, signed } from './world.js';

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

  it('a SENDER_TEMPLATE in a Resv names no sender: a nonce cannot be carried to another flow by it', () => {
    const policyNode = nick();
    const template = (srcPort: number) => SenderTemplateIpv4.make({ srcAddress: '198.51.100.9', srcPort });
    assert.equal(policyNode.decide(reserving(FF, flowspec(8), filter(1), template(2)), NOW).granted, true);
    const other = { ...reserving(FF, flowspec(8), filter(2), template(1)), holder: 'edge-1 h2' };
    assertRefused(policyNode.decide(other, NOW), 'nonce-spent');
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

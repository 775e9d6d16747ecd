import { parseAssertion, signAssertion } from '../policy/keynote/index.js';
import type { AlgorithmChoice, PrivateKey } from '../policy/keynote/index.js';
import { generateKey } from '../policy/io/keygen.js';
import {
  creditAuthorization,
  microcheck,
  offer,
  PAYMENT_RSVP,
  PaymentPolicy,
  paymentObject,
} from '../policy/payment/index.js';
import type { PaymentRequest } from '../policy/payment/index.js';
import {
  ControlledLoad,
  FF,
  FilterSpecIpv4,
  Flowspec,
  RsvpHopIpv4,
  SessionIpv4,
  Style,
  TimeValues,
  TokenBucketTspec,
} from '../rsvp/wire/index.js';

/** A kind of signature, as Table I is printed for. */
export interface Kind {
  readonly name: string;
  readonly newKey: () => PrivateKey;
  readonly algorithm: string;
  readonly algorithms: AlgorithmChoice;
}

export const KINDS: readonly Kind[] = [
  {
    name: 'RSA-1024',
    newKey: () => generateKey('rsa', 1024),
    algorithm: 'sig-rsa-sha1-base64',
    algorithms: 'classic',
  },
  {
    name: 'RSA-2048',
    newKey: () => generateKey('rsa', 2048),
    algorithm: 'sig-rsa-sha256-base64',
    algorithms: 'modern',
  },
  {
    name: 'Ed25519',
    newKey: () => generateKey('ed25519'),
    algorithm: 'sig-ed25519-base64',
    algorithms: 'modern',
  },
];

export const NOW = Date.UTC(2007, 10, 20, 20);

/** Paid Resv messages whose chains have `credentials` credentials: check, offer, authorization, and middlemen above it. */
export interface PaidRequests {
  /** Each with a check, a nonce and a session of its own. */
  readonly messages: readonly Uint8Array[];
  /** A policy node that has seen nothing yet. */
  newPolicy(): PaymentPolicy;
}

export function paidRequests(kind: Kind, credentials: number, count: number): PaidRequests {
  const [nick, route, alice, ...providers] = Array.from({ length: credentials + 1 }, kind.newKey);
  if (nick === undefined || route === undefined || alice === undefined)
    throw new RangeError('credentials: at least 3');
  const name = (key: PrivateKey): string => key.principal.toText('base64');
  const common = (from: PrivateKey, to: PrivateKey) => ({
    from: name(from),
    to: name(to),
    appDomain: 'Band-X',
  });
  const usd = (amount: string) => ({ amount, currency: 'USD' });
  const offered = signAssertion(
    offer({
      ...common(nick, route),
      price: usd('0.44'),
      bandwidth: 50_000_000,
      linkName: 'Dublin-NYC',
      until: '20071121',
    }),
    nick,
    kind.algorithm,
  );
  const backing = providers.map((from, i) => {
    const to = providers[i + 1] ?? alice;
    return signAssertion(
      creditAuthorization({ ...common(from, to), limit: { below: usd('0.56') } }),
      from,
      kind.algorithm,
    );
  });
  const messages = Array.from({ length: count }, (_, i) => {
    const nonce = `nonce${i}`;
    const check = microcheck({ ...common(alice, nick), money: usd('0.44'), nonce, date: '20071120' });
    const assertions = [signAssertion(check, alice, kind.algorithm), offered, ...backing];
    return resv(
      i,
      paymentObject({
        claims: [
          ['amount', '0.44'],
          ['currency', 'USD'],
          ['nonce', nonce],
        ],
        assertions,
      }),
    );
  });
  const policy = [
    parseAssertion(
      `Authorizer: "POLICY"\nLicensees: "${name(providers[0] ?? alice)}" && "${name(nick)}"\nConditions: app_domain == "Band-X";\n`,
    ),
  ];
  return {
    messages,
    newPolicy: () =>
      new PaymentPolicy({
        policy,
        appDomain: 'Band-X',
        routes: { other: name(route) },
        algorithms: kind.algorithms,
      }),
  };
}

/** A Resv for the i-th session that carries a payment. */
export function resv(i: number, payment: ReturnType<typeof paymentObject>): Uint8Array {
  const bucket = TokenBucketTspec.make({
    flags: 0,
    tokenBucketRate: 6_250_000,
    tokenBucketSize: 15_000,
    peakDataRate: Infinity,
    minimumPolicedUnit: 64,
    maximumPacketSize: 1500,
  });
  return PAYMENT_RSVP.encode({
    msgType: 2,
    ttl: 64,
    objects: [
      SessionIpv4.make({
        destAddress: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
        protocolId: 17,
        flags: 0,
        dstPort: 5004,
      }),
      RsvpHopIpv4.make({ hopAddress: '192.0.2.7', logicalInterfaceHandle: 0 }),
      TimeValues.make({ refreshPeriod: 30_000 }),
      payment,
      Style.make({ flags: 0, optionVector: FF }),
      Flowspec.make({ version: 0, services: [ControlledLoad.make({ flags: 0, parameters: [bucket] })] }),
      FilterSpecIpv4.make({ srcAddress: '198.51.100.9', srcPort: 5004 }),
    ],
  });
}

/** What a router passes on of a message. */
export function asRequest(message: Uint8Array, holder: string): PaymentRequest {
  const { objects } = PAYMENT_RSVP.decode(message, []);
  return {
    holder,
    pepId: 'edge-1',
    handle: '00000001',
    linkName: 'Dublin-NYC',
    message: 'Resv',
    incoming: true,
    allocation: true,
    outgoing: true,
    objects,
  };
}

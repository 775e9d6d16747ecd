import { parseAssertion, parsePrivateKey, signAssertion } from '../../keynote/index.js';
import type { PrivateKey } from '../../keynote/index.js';
import { readFixture } from '../../../fixtures/index.js';
import {
  ControlledLoad,
  FF,
  FilterSpecIpv4,
  Flowspec,
  RsvpHopIpv4,
  SessionIpv4,
  Style,
  TokenBucketTspec,
} from '../../../rsvp/wire/index.js';
import type { WireObject } from '../../../rsvp/wire/index.js';
import {
  creditAuthorization,
  microcheck,
  offer,
  Cashier,
  PAYMENT_RSVP,
  PaymentPolicy,
  paymentObject,
} from '../index.js';
import type { CashierOptions, PaymentContents, PaymentOptions, PaymentRequest } from '../index.js';
import { StoredBooks } from '../../stores/io/books.js';

/** The people of the paper's story and what they sign, for tests. */
export const KEYS = {
  martha: key('martha'),
  alice: key('alice'),
  nick: key('nick'),
  route: key('route'),
  mallory: key('mallory'),
};
export type Person = keyof typeof KEYS;

function key(name: string): PrivateKey {
  return parsePrivateKey(readFixture(`story/keys/${name}.key`).toString('latin1'));
}

export function principal(person: Person): string {
  return KEYS[person].principal.toText('base64');
}

/** 2007-11-20, the day of the paper's check. */
export const NOW = Date.UTC(2007, 10, 20, 20);

const APP = 'Band-X';
const usd = (amount: string) => ({ amount, currency: 'USD' });

export function signed(by: Person, text: string): string {
  return signAssertion(text, KEYS[by]);
}

export function authorization(
  from: Person = 'martha',
  to: Person = 'alice',
  below = '0.56',
  also?: string,
): string {
  const parties = {
    from: principal(from),
    to: principal(to),
    appDomain: APP,
    ...(also === undefined ? {} : { also }),
  };
  return signed(from, creditAuthorization({ ...parties, limit: { below: usd(below) } }));
}

export function offered(terms: { bandwidth?: number; price?: string; from?: Person } = {}): string {
  const from = terms.from ?? 'nick';
  return signed(
    from,
    offer({
      from: principal(from),
      to: principal('route'),
      appDomain: APP,
      price: usd(terms.price ?? '0.44'),
      bandwidth: terms.bandwidth ?? 50_000_000,
      linkName: 'Dublin-NYC',
      until: '20071121',
    }),
  );
}

export function check(
  nonce = 'eb2c3dfc8e9a',
  amount = '0.44',
  session?: { address: string; protocol: number; port: number },
): string {
  return signed(
    'alice',
    microcheck({
      from: principal('alice'),
      to: principal('nick'),
      appDomain: APP,
      money: usd(amount),
      nonce,
      date: '20071120',
      ...(session === undefined ? {} : { session }),
    }),
  );
}

export const CLAIMS = [
  ['amount', '0.44'],
  ['currency', 'USD'],
  ['nonce', 'eb2c3dfc8e9a'],
] as const;

export function claims(changes: Readonly<Record<string, string>>): (readonly [string, string])[] {
  return Object.entries({ ...Object.fromEntries(CLAIMS), ...changes });
}

/** A request as a router would pass it on: through octets, not by reference. */
export function request(payment: PaymentContents | undefined, changes: Changes = {}): PaymentRequest {
  const { port = 5004, bandwidth = 50_000_000, deflate = false, extra = [], ...rest } = changes;
  const bucket = TokenBucketTspec.make({
    flags: 0,
    tokenBucketRate: bandwidth / 8,
    tokenBucketSize: 1500,
    peakDataRate: Infinity,
    minimumPolicedUnit: 64,
    maximumPacketSize: 1500,
  });
  const objects: WireObject[] = [
    SessionIpv4.make({ destAddress: '192.0.2.7', protocolId: 17, flags: 0, dstPort: port }),
    RsvpHopIpv4.make({ hopAddress: '192.0.2.7', logicalInterfaceHandle: 0 }),
    ...(payment === undefined ? [] : [paymentObject(payment, deflate)]),
    ...extra,
    Style.make({ flags: 0, optionVector: FF }),
    Flowspec.make({ version: 0, services: [ControlledLoad.make({ flags: 0, parameters: [bucket] })] }),
    FilterSpecIpv4.make({ srcAddress: '198.51.100.9', srcPort: 5004 }),
  ];
  return {
    holder: 'edge-1 h1',
    pepId: 'edge-1',
    handle: '00000001',
    linkName: 'Dublin-NYC',
    node: '192.0.2.1',
    message: 'Resv',
    incoming: true,
    allocation: true,
    outgoing: true,
    objects: PAYMENT_RSVP.decode(PAYMENT_RSVP.encode({ msgType: 2, objects }), []).objects,
    ...rest,
  };
}

export interface Changes extends Partial<Omit<PaymentRequest, 'objects'>> {
  readonly port?: number;
  readonly bandwidth?: number;
  readonly deflate?: boolean;
  readonly extra?: readonly WireObject[];
}

/** Nick's policy of the paper: what Martha and Nick authorize together. */
export const JOINT = `Authorizer: "POLICY"
Licensees: "${principal('martha')}" && "${principal('nick')}"
Conditions: app_domain == "${APP}" -> "true";
`;

export function nick(options: Partial<PaymentOptions> & { readonly text?: string } = {}): PaymentPolicy {
  const { text = JOINT, ...rest } = options;
  return new PaymentPolicy({
    policy: [parseAssertion(text)],
    appDomain: APP,
    routes: { other: principal('route') },
    ...rest,
  });
}

let ids = 0;

/** A cashier with books of its own, in memory. */
export async function cashier(
  policy: PaymentPolicy = nick(),
  options: Partial<CashierOptions> = {},
): Promise<Cashier> {
  const books = options.books ?? (await StoredBooks.open(':memory:', { instance: 'test' }));
  return new Cashier({
    policy,
    books,
    newId: () => `grant-${++ids}`,
    holdTimeout: 60_000,
    removed: () => undefined,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds).unref()),
    failed: (error) => {
      throw error;
    },
    ...options,
  });
}

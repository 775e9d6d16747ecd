import { sql } from 'kysely';
import { credentialDigest, parseAssertion, parsePrincipal } from '../../keynote/index.js';
import { openStore } from '../../stores/io/open.js';
import type { Store } from '../../stores/store.js';
import { authorization, check, KEYS, NOW, offered, principal } from '../../payment/test/world.js';
import type { Person } from '../../payment/test/world.js';
import { ClearingCentre, CLEARING_MIGRATIONS, DEFAULT_TERMS, DepositJudge, Directory } from '../index.js';
import type { ClearingSchema, Deposit, DepositRequest, KnownAccount, Terms } from '../index.js';

/* A clearing centre for tests: Martha settles for Alice, Nick is an ISP, and so is Mallory. */

export { KEYS, NOW, principal };

export const POLICY = `Authorizer: "POLICY"
Licensees: "${principal('martha')}"
Conditions: app_domain == "Band-X" -> "true";
`;

export function account(
  id: string,
  kind: KnownAccount['kind'],
  keys: readonly Person[],
  more: { limit?: Record<string, bigint>; frozen?: boolean } = {},
): KnownAccount {
  return {
    ...{ id, kind, keys: keys.map((key) => parsePrincipal(principal(key))), frozen: more.frozen ?? false },
    limit: new Map(Object.entries(more.limit ?? {})),
  };
}

export const ACCOUNTS: readonly KnownAccount[] = [
  account('martha', 'provider', ['martha']),
  account('nick', 'isp', ['nick']),
  account('mallory', 'isp', ['mallory']),
];

export interface CentreOptions {
  readonly accounts?: readonly KnownAccount[];
  readonly policy?: string;
  readonly terms?: Partial<Terms>;
}

export function judgeOf({
  accounts = ACCOUNTS,
  policy = POLICY,
  terms = {},
}: CentreOptions = {}): DepositJudge {
  const currencies = new Map([
    ['USD', 2],
    ['JPY', 0],
  ]);
  return new DepositJudge({
    policy: [parseAssertion(policy)],
    directory: new Directory(accounts),
    terms: { ...DEFAULT_TERMS, appDomain: 'Band-X', currencies, ...terms },
  });
}

export interface Opened {
  readonly centre: ClearingCentre;
  readonly store: Store<ClearingSchema>;
}

export async function openCentre(place: string, options: CentreOptions = {}): Promise<Opened> {
  const store = await openStore<ClearingSchema>(place, CLEARING_MIGRATIONS);
  const centre = new ClearingCentre({ store, judge: judgeOf(options) });
  await centre.start(NOW);
  return { centre, store };
}

export function known(centre: ClearingCentre, id: string): KnownAccount {
  const account = centre.directory.find(id);
  if (account === undefined) throw new Error(`no account ${id}`);
  return account;
}

export interface Paid {
  readonly nonce?: string;
  readonly amount?: string;
  readonly grantedAt?: number;
  readonly credentials?: readonly string[];
  readonly attributes?: Readonly<Record<string, string>>;
  readonly deposit?: Partial<Deposit>;
}

/** What Nick hands in for a payment of Alice's, with a check that she signed. */
export function payment(of: Paid = {}): { deposit: Deposit; assertions: Record<string, string> } {
  const { nonce = 'eb2c3dfc8e9a', amount = '0.44', grantedAt = NOW } = of;
  const credentials = of.credentials ?? [AUTHORIZATION, OFFER, check(nonce, amount)];
  const at = new Date(grantedAt).toISOString();
  const stamp = at.replace(/[-:T]|\..*/g, '');
  const deposit: Deposit = {
    id: `grant-${nonce}`,
    reservation: `192.0.2.7/udp/5004 FF 198.51.100.9/5004`,
    ...{ pepId: 'edge-1', linkName: 'Dublin-NYC', amount, currency: 'USD', nonce },
    payers: [principal('alice')],
    route: principal('route'),
    ...{ grantedAt: at, committedAt: at },
    attributes: {
      ...{
        app_domain: 'Band-X',
        message: 'Resv',
        bandwidth: '50000000',
        link_name: 'Dublin-NYC',
        pep_id: 'edge-1',
      },
      ...{ amount, currency: 'USD', nonce, date: stamp.slice(0, 8), time: stamp.slice(8) },
      ...of.attributes,
    },
    credentials: credentials.map(credentialDigest),
    ...of.deposit,
  };
  return {
    deposit,
    assertions: Object.fromEntries(credentials.map((text) => [credentialDigest(text), text])),
  };
}

const AUTHORIZATION = authorization();
const OFFER = offered();

/** What is known of a payment before the router has installed the reservation. */
export function claimOf(deposit: Deposit): Omit<Deposit, 'committedAt'> {
  const members = Object.entries(deposit).filter(([name]) => name !== 'committedAt');
  return Object.fromEntries(members) as unknown as Omit<Deposit, 'committedAt'>;
}

export function requestOf(...payments: ReturnType<typeof payment>[]): DepositRequest {
  return {
    assertions: Object.assign({}, ...payments.map(({ assertions }) => assertions)) as Record<string, string>,
    deposits: payments.map(({ deposit }) => deposit),
  };
}

const TABLES = [
  ...['csc_head', 'csc_currencies', 'csc_accounts', 'csc_assertions', 'csc_deposits', 'csc_charges'],
  ...['csc_entries', 'csc_balances', 'csc_holds', 'csc_batches'],
];

/** Every row of every table: two dumps that are the same mean that nothing has changed. */
export async function dump({ db }: Pick<Store<ClearingSchema>, 'db'>): Promise<string> {
  const all: string[] = [];
  for (const table of TABLES) {
    const { rows } = await sql.raw<object>(`select * from ${table}`).execute(db);
    const lines = rows.map((row) =>
      JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
    );
    all.push(`${table}\n${lines.sort().join('\n')}`);
  }
  return all.join('\n');
}

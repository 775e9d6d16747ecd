import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { parseAssertion } from '../policy/keynote/index.js';
import { uuidV7 } from '../policy/io/uuid.js';
import type { GrantRequest, Payment, Verdict } from '../policy/payment/index.js';
import { StoredBooks } from '../policy/stores/io/books.js';
import { hasPostgres, startCluster } from '../policy/stores/test/postgres.js';

/*
 * Durable grants a second, beside what the engine itself inserts in the same run: rows of the same octets, in batches of the
 * same size, with the same indexes and the same durability, by the driver alone, without a look at what they say.
 */

const BATCH = 512;
/** Of each measurement. */
const BATCHES = 20;
const SECONDS = 3;

export async function main(): Promise<void> {
  console.log(`Durable grants, ${BATCH} under way at once; the engine alone inserts the same rows`);
  const folder = mkdtempSync(join(tmpdir(), 'bandex-bench-'));
  try {
    await measure('SQLite', join(folder, 'books.db'), bareSqlite(join(folder, 'bare.db')));
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (!hasPostgres()) {
    console.log('  PostgreSQL is not installed: not measured');
    return;
  }
  const cluster = await startCluster();
  try {
    await measure('PostgreSQL', cluster.database(), await barePostgres(cluster.database()));
  } finally {
    cluster.stop();
  }
}

interface Bare {
  readonly insert: (rows: readonly Row[]) => Promise<void> | void;
  readonly close: () => Promise<void> | void;
}

async function measure(name: string, place: string, bare: Bare): Promise<void> {
  const books = await StoredBooks.open(place, { instance: 'bench' });
  const rates = { bare: [] as number[], grants: [] as number[] };
  // In turns, so that a slow phase of the machine hits both.
  for (let round = 0; round < 3; round++) {
    rates.bare.push(await bareRate(bare));
    rates.grants.push(await grantRate(books));
  }
  const [plain, grants] = [median(rates.bare), median(rates.grants)];
  const p99 = await latencyAt(books, grants / 2);
  console.log(
    `  ${name.padEnd(12)} ${text(grants)}/s   engine alone ${text(plain)}/s   ${((100 * grants) / plain).toFixed(0)} %   ` +
      `at half the load: p50 ${p99.p50.toFixed(1)} ms, p99 ${p99.p99.toFixed(1)} ms`,
  );
  await bare.close();
  await books.close();
}

async function bareRate({ insert }: Bare): Promise<number> {
  const batches = Array.from({ length: BATCHES }, () => Array.from({ length: BATCH }, newRow));
  const start = performance.now();
  for (const batch of batches) await insert(batch);
  return (BATCHES * BATCH) / ((performance.now() - start) / 1000);
}

async function grantRate(books: StoredBooks): Promise<number> {
  const grants = Array.from({ length: BATCHES * BATCH }, newGrant);
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let grant; (grant = grants[next++]) !== undefined;) await books.grant(grant);
  };
  await Promise.all(Array.from({ length: BATCH }, worker));
  return grants.length / ((performance.now() - start) / 1000);
}

/** Requests come at their times, whether or not the ones before are answered. */
async function latencyAt(books: StoredBooks, perSecond: number): Promise<{ p50: number; p99: number }> {
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  const grants = Array.from({ length: Math.floor(perSecond * SECONDS) }, newGrant);
  const start = performance.now();
  const total = grants.length;
  for (let i = 0; i < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1000) * perSecond) + 1);
    for (; i < due; i++) {
      const asked = start + (i / perSecond) * 1000;
      pending.push(
        books.grant(grants[i] as GrantRequest).then(() => {
          times.push(performance.now() - asked);
        }),
      );
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(pending);
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

const CREDENTIALS = ['offer', 'authorization'].map((comment) =>
  parseAssertion(`KeyNote-Version: 2\nComment: ${comment}\nAuthorizer: "x"\nLicensees: "y"\n${filler(600)}`),
);

function filler(length: number): string {
  return `Conditions: note == "${'n'.repeat(length)}" -> "true";\n`;
}

const ATTRIBUTES = new Map(
  Array.from({ length: 24 }, (_, i) => [`attribute_${i}`, `value of ${i}, of some length`]),
);

/** A payment as the judge would give it, with a check of its own. */
function newGrant(): GrantRequest {
  const id = uuidV7(Date.now());
  const nonce = randomBytes(8).toString('hex');
  const check = parseAssertion(`Authorizer: "x"\nLicensees: "y"\nComment: ${id}\n${filler(500)}`);
  const payment: Payment = {
    amount: '0.44',
    currency: 'USD',
    nonce,
    duration: undefined,
    payers: [],
    session: `10.0.0.1/17/5004`,
    reservation: `10.0.0.1/17/${nonce} FF 198.51.100.9/5004`,
    bandwidth: 50_000_000,
    credentials: [check, ...CREDENTIALS],
    checks: [check],
    totalled: [],
    isExposureLimited: false,
    requesters: { route: 'route' },
  };
  const verdict: Verdict = { granted: true, reason: '', attributes: ATTRIBUTES, payment };
  return {
    id,
    holder: id,
    pepId: 'edge-1',
    handle: '00000001',
    linkName: 'Dublin-NYC',
    keys: [{ payer: `ed25519-base64:${'A'.repeat(43)}=`, nonce }],
    verdict,
    now: Date.now(),
    recheck: () => verdict,
  };
}

/** What a grant writes: its nonce, itself with its check, its holder. */
interface Row {
  readonly nonce: readonly string[];
  readonly grant: readonly (string | number)[];
  readonly holder: readonly (string | number)[];
}

function newRow(): Row {
  const id = uuidV7(Date.now());
  const nonce = randomBytes(8).toString('hex');
  const payer = `ed25519-base64:${'A'.repeat(43)}=`;
  const reservation = `10.0.0.1/17/${nonce} FF 198.51.100.9/5004`;
  const attributes = JSON.stringify(Object.fromEntries(ATTRIBUTES));
  const digests = JSON.stringify(['a'.repeat(64), 'b'.repeat(64)]);
  const checks = JSON.stringify([`Authorizer: "x"\nLicensees: "y"\nComment: ${id}\n${filler(500)}`]);
  const session = '10.0.0.1/17/5004';
  const grant = [id, reservation, session, 'edge-1', '00000001', 'Dublin-NYC', '0.44', 440_000, 'USD', nonce];
  return {
    nonce: [payer, nonce, id],
    grant: [...grant, JSON.stringify([payer]), attributes, checks, digests, Date.now()],
    holder: [`bench/${id}`, reservation, 'edge-1', '00000001', 'bench', Date.now()],
  };
}

const tables = (clustered: string): readonly string[] => [
  `create table nonces (payer text, nonce text, grant_id text, primary key (payer, nonce))${clustered}`,
  `create table grants (id text primary key, reservation text, session text, pep_id text, handle text, link_name text,
    amount text, sum bigint, currency text, nonce text, payers text, attributes text, checks text, credentials text,
    granted_at bigint)`,
  'create index grants_live on grants (reservation)',
  `create table holders (reservation text, holder text, pep_id text, handle text, instance text, since bigint,
    primary key (reservation, holder))${clustered}`,
];

function bareSqlite(file: string): Bare {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  for (const statement of tables(' without rowid')) db.exec(statement);
  const into = (table: string, columns: number): Database.Statement =>
    db.prepare(`insert into ${table} values (${Array(columns).fill('?').join(', ')})`);
  const [nonces, grants, holders] = [into('nonces', 3), into('grants', 15), into('holders', 6)];
  return {
    insert: db.transaction((rows: readonly Row[]) => {
      for (const { nonce, grant, holder } of rows) {
        nonces.run(...nonce);
        grants.run(...grant);
        holders.run(...holder);
      }
    }),
    close: () => void db.close(),
  };
}

async function barePostgres(url: string): Promise<Bare> {
  const client = new pg.Client(url);
  await client.connect();
  for (const statement of tables('')) await client.query(statement);
  const into = async (table: string, rows: readonly (readonly unknown[])[]): Promise<void> => {
    const width = rows[0]?.length ?? 0;
    const values = rows.map(
      (_, i) => `(${Array.from({ length: width }, (__, j) => `$${i * width + j + 1}`).join(', ')})`,
    );
    await client.query({
      name: `${table} ${rows.length}`,
      text: `insert into ${table} values ${values.join(', ')}`,
      values: rows.flat(),
    });
  };
  return {
    insert: async (rows) => {
      await client.query('begin');
      await into(
        'nonces',
        rows.map(({ nonce }) => nonce),
      );
      await into(
        'grants',
        rows.map(({ grant }) => grant),
      );
      await into(
        'holders',
        rows.map(({ holder }) => holder),
      );
      await client.query('commit');
    },
    close: () => client.end(),
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function text(rate: number): string {
  return Math.round(rate).toLocaleString('en').padStart(8);
}

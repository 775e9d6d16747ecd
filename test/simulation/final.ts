import { sql } from 'kysely';
import { toMillionths } from '../../policy/payment/index.js';
import type { Check } from './checks.js';
import type { Databases, Schedule } from './schedule.js';

interface GrantRow {
  readonly id: string;
  readonly reservation: string;
  readonly nonce: string;
  readonly state: string;
  readonly deposit: string | null;
  readonly totalled: string;
}

/** What must be true once it is quiet: read from the databases, compared with what the model has heard. */
export async function checkBooks({ books, clearing }: Databases, schedule: Schedule): Promise<void> {
  const { model, pdps, peps, scheduler } = schedule;
  const { now } = scheduler;
  const expect = (isTrue: boolean, text: string): void => {
    if (!isTrue) model.broken(text);
  };
  const { rows: grants } = await sql<GrantRow>`select * from grants`.execute(books.db);
  const { rows: holders } = await sql<{ holder: string; reservation: string }>`
    select holder, reservation from holders left join grants on grants.id = grant_id`.execute(books.db);
  const { rows: nonces } = await sql<{ nonce: string | null; grant_id: string }>`
    select nonce, grant_id from nonces left join grants on grants.id = grant_id`.execute(books.db);
  const { rows: totals } = await sql<{ kind: string; id: string; sum: bigint }>`select * from totals`.execute(
    books.db,
  );

  for (const pep of peps) expect(pep.isSettled, `${pep.name} has no PDP, or still waits for an answer`);

  // Each nonce is charged once, for what a router reported; all that a router committed is charged.
  const charged = new Map<string, string>();
  for (const { nonce, reservation, state, id } of grants) {
    expect(state !== 'held', `grant ${id} of ${nonce} for ${reservation} is still held`);
    if (state === 'released') continue;
    expect(!charged.has(nonce), `nonce ${nonce} has two grants: ${reservation} and ${charged.get(nonce)}`);
    charged.set(nonce, reservation);
    expect(
      model.mayBeCharged(nonce, reservation),
      `${nonce} is charged for ${reservation}: no router reported success`,
    );
  }
  const must = model.mustBeCharged();
  for (const pep of peps)
    for (const { isInstalled, isSuccess, asked } of pep.states.values())
      if (isInstalled && isSuccess) must.set(asked.check.nonce, asked.reservation);
  for (const [nonce, reservation] of must)
    expect(
      charged.get(nonce) === reservation,
      `${nonce} was committed for ${reservation}, and is charged for ${charged.get(nonce)}`,
    );

  // All of it was deposited, once.
  for (const { nonce, state, deposit } of grants)
    if (state !== 'released') expect(deposit === 'accepted', `the deposit of ${nonce} is ${deposit}`);
  for (const [nonce, reservation] of charged)
    expect(model.paidOut.get(nonce) === reservation, `${nonce} for ${reservation} was not paid out`);
  expect(model.paidOut.size === charged.size, 'more was paid out than charged');
  const prefix = `s${scheduler.seed}-`;
  const { rows: charges } = await sql<{ nonce: string; amount: bigint }>`
    select nonce, amount from csc_charges where nonce >= ${prefix} and nonce < ${`${prefix}~`}`.execute(
    clearing.db,
  );
  for (const nonce of charged.keys()) {
    const sum = charges.reduce((all, row) => (row.nonce === nonce ? all + row.amount : all), 0n);
    expect(
      sum === sumOf(model.checks.get(nonce) as Check),
      `the clearing centre has charged ${sum} for ${nonce}`,
    );
  }

  // A nonce is taken exactly as long as its grant stands.
  for (const { nonce, grant_id } of nonces) {
    const grant = grants.find(({ id }) => id === grant_id);
    expect(
      grant !== undefined && grant.state !== 'released',
      `nonce ${nonce} is taken by ${grant?.state ?? 'no grant'}`,
    );
  }
  for (const nonce of charged.keys()) {
    const { payers } = model.checks.get(nonce) as Check;
    expect(
      nonces.filter((row) => row.nonce === nonce).length === payers.length,
      `nonce ${nonce} can be spent again`,
    );
  }

  // Nobody owes anything any more, and totals are what was charged.
  const limited = [...charged.keys()]
    .map((nonce) => model.checks.get(nonce) as Check)
    .filter((check) => check.limited);
  const total = limited.reduce((all, check) => all + sumOf(check), 0n);
  for (const { kind, id, sum } of totals) {
    if (kind === 'payer') expect(sum === 0n, `${id} owes ${sum} when all is deposited`);
    else expect(sum === total, `the total under the authorization is ${sum}, not ${total}`);
  }

  // Holders are what PDPs hold.
  const held = pdps.filter((pdp) => pdp.isAlive).flatMap((pdp) => pdp.held());
  for (const { name, isInstalled, reservation } of held)
    if (isInstalled)
      expect(
        holders.some((row) => row.holder === name && row.reservation === reservation),
        `${name} was told Install for ${reservation}, and the books do not know`,
      );
  const names = new Set(held.map(({ name }) => name));
  for (const { holder } of holders)
    expect(names.has(holder), `the books have a holder ${holder}, which is gone`);

  // Routers keep what was paid for, and no more.
  for (const pep of peps) {
    for (const [handle, { asked, isInstalled }] of pep.states) {
      const { reservation, check } = asked;
      const isPaid = must.get(check.nonce) === reservation && !schedule.isRevoked(check.nonce);
      if (isPaid && model.paidUntil(check.nonce, reservation) > now)
        expect(isInstalled, `${pep.name}/${handle} has lost ${reservation}, which ${check.nonce} pays for`);
      if (isInstalled) {
        expect(
          charged.get(check.nonce) === reservation,
          `${pep.name}/${handle} has ${reservation} for nothing`,
        );
        expect(
          now <= model.latestEnd(reservation) + 5000,
          `${pep.name}/${handle} has ${reservation} for too long`,
        );
        expect(
          !schedule.isRevoked(check.nonce),
          `${pep.name}/${handle} has ${reservation} by a revoked check`,
        );
      }
    }
  }
}

function sumOf({ amount }: Check): bigint {
  return BigInt(toMillionths(amount));
}

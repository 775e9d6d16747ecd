import Table from 'cli-table3';
import type { Verdict } from '../policy/payment/index.js';
import { cryptoFloor } from './floor.js';
import { medianMicros } from './measure.js';
import { asRequest, KINDS, NOW, paidRequests } from './request.js';
import type { Kind } from './request.js';

/** The paper's Table I: octets of the request, microseconds with the policy engine and without (Dell PowerEdge 1550). */
const PAPER = [
  { credentials: 3, octets: 2612, with: 2793, without: 249 },
  { credentials: 4, octets: 3548, with: 3480, without: 261 },
  { credentials: 5, octets: 5116, with: 4754, without: 304 },
  { credentials: 6, octets: 6356, with: 5518, without: 321 },
  { credentials: 7, octets: 7620, with: 6722, without: 338 },
] as const;

/** libkeynote in C on a machine like this one, RSA-1024: a chain parsed, verified and evaluated, microseconds. */
const LIBKEYNOTE: Readonly<Record<number, string>> = {
  3: '109-159',
  4: '141-195',
  5: '171-185',
  6: '203',
  7: '232-281',
};

export interface Row {
  readonly kind: string;
  readonly credentials: number;
  readonly octets: number;
  readonly cold: number;
  readonly warm: number;
  readonly without: number;
  /** What node:crypto alone takes in the same run: all keys and signatures; one signature. */
  readonly coldFloor: number;
  readonly warmFloor: number;
}

/**
 * A request is decoded from its octets and decided. Cold: the policy node has seen none of its credentials and no key.
 * Warm: all but the microcheck, which is new each time. Without: the engine is replaced by one that always grants.
 */
export function measureRow(kind: Kind, credentials: number, calls: number): Row {
  const requests = paidRequests(kind, credentials, calls + WARM_UP);
  const judge = (verdict: Verdict): void => {
    if (!verdict.granted) throw new Error(verdict.reason);
  };
  const at = (i: number): Uint8Array => requests.messages[i] ?? new Uint8Array();
  const cold = (i: number): void => judge(requests.newPolicy().decide(asRequest(at(i), 'h'), NOW));
  const known = requests.newPolicy();
  const warm = (i: number): void => judge(known.decide(asRequest(at(i), `h${i}`), NOW));
  const without = (i: number): void =>
    judge({ granted: asRequest(at(i), 'h').objects.length > 0, reason: '', attributes: new Map() });
  const time = (run: (i: number) => void): number => {
    for (let i = 0; i < WARM_UP; i++) run(i);
    return medianMicros(calls, (i) => run(i + WARM_UP));
  };
  const floor = cryptoFloor(kind);
  return {
    kind: kind.name,
    credentials,
    coldFloor: credentials * (floor.importKey + floor.verify),
    warmFloor: floor.verify,
    octets: at(0).length,
    cold: time(cold),
    warm: time(warm),
    without: time(without),
  };
}

const WARM_UP = 200;

/** Prints Table I of the paper, measured here. */
export function main(calls = 300): Row[] {
  const rows: Row[] = [];
  const table = new Table({
    head: [
      'keys',
      'credentials',
      'octets',
      'cold µs',
      'crypto µs',
      'ratio',
      'warm µs',
      'crypto µs',
      'ratio',
      'without µs',
      'libkeynote µs',
      'paper: octets',
      'with µs',
      'without µs',
    ],
    colAligns: ['left', ...Array<'right'>(13).fill('right')],
    style: { head: [], border: [], compact: true },
  });
  // The compiler has its time before anything is measured.
  for (const kind of KINDS) measureRow(kind, 7, 1000);
  for (const kind of KINDS) {
    for (const paper of PAPER) {
      const row = measureRow(kind, paper.credentials, calls);
      rows.push(row);
      const measured = [
        ...[row.cold, row.coldFloor, row.cold / row.coldFloor],
        ...[row.warm, row.warmFloor, row.warm / row.warmFloor],
        row.without,
      ].map((figure) => figure.toFixed(1));
      const peer = kind.name === 'RSA-1024' ? (LIBKEYNOTE[paper.credentials] ?? '') : '';
      table.push([
        kind.name,
        row.credentials,
        row.octets,
        ...measured,
        peer,
        paper.octets,
        paper.with,
        paper.without,
      ]);
    }
  }
  console.log(
    'libkeynote: in C, a chain parsed, verified and evaluated, on a machine like this one; paper: a Dell PowerEdge 1550.\n' +
      'crypto: node:crypto alone in the same run: every key and signature for cold, one signature for warm.',
  );
  console.log('Table I: microseconds to process a request, by number of credentials (medians, one thread)');
  console.log(table.toString());
  return rows;
}

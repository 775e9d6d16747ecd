import { performance } from 'node:perf_hooks';
import Table from 'cli-table3';
import { CredentialCache, parseAssertion, query, signAssertion } from '../policy/keynote/index.js';
import type { AlgorithmChoice, Assertion, PrivateKey } from '../policy/keynote/index.js';
import { generateKey } from '../policy/io/keygen.js';

/** What libkeynote takes for a chain of n credentials with RSA-1024, cold, in microseconds. */
const LIBKEYNOTE: Readonly<Record<number, string>> = {
  3: '109-159',
  4: '141-195',
  5: '171-185',
  6: '203',
  7: '232-281',
};

interface Chain {
  readonly policy: string;
  /** From the policy's licensee to the requester. */
  readonly credentials: readonly string[];
  /** Other last credentials, as a customer writes one for each payment. */
  readonly lasts: readonly string[];
  readonly requester: string;
}

const ATTRIBUTES = {
  app_domain: 'BandEx',
  currency: 'USD',
  amount: '4.95',
  nonce: 'eb2c3dfc860dde9a',
  date: '20020315',
  link_name: 'NE-12',
  bandwidth: '2048',
};
const CONDITIONS = `app_domain == "BandEx" && currency == "USD" && &amount < 5.01 && date < "20020405" -> "true";`;
const VALUES = ['false', 'true'];

function makeChain(length: number, newKey: () => PrivateKey, algorithm: string, lasts: number): Chain {
  const keys = Array.from({ length: length + 1 }, newKey);
  const name = (i: number): string => keys[i]?.principal.toText() ?? '';
  const credential = (i: number, comment: string): string => {
    const text = [
      'KeyNote-Version: 2',
      `Comment: ${comment}`,
      `Authorizer: "${name(i)}"`,
      `Licensees: "${name(i + 1)}"`,
      `Conditions: ${CONDITIONS}`,
      '',
    ].join('\n');
    return signAssertion(text, keys[i] ?? newKey(), algorithm);
  };
  return {
    policy: `Authorizer: "POLICY"\nLicensees: "${name(0)}"\nConditions: app_domain == "BandEx";\n`,
    credentials: Array.from({ length }, (_, i) => credential(i, `credential ${i + 1}`)),
    lasts: Array.from({ length: lasts }, (_, i) => credential(length - 1, `check ${i + 1}`)),
    requester: name(length),
  };
}

/** The median of batches, in microseconds a call. */
function measure(call: (i: number) => void, calls: number): number {
  const batch = Math.max(1, Math.floor(calls / 25));
  const times: number[] = [];
  for (let at = 0; at + batch <= calls; at += batch) {
    const start = performance.now();
    for (let i = at; i < at + batch; i++) call(i);
    times.push(((performance.now() - start) * 1000) / batch);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

interface Timing {
  readonly cold: number;
  readonly warm: number;
  readonly unverified: number;
  readonly again: number;
}

/**
 * cold: parse, verify and evaluate with nothing cached. warm: only the last credential is new. unverified:
 * as cold, the credentials given as trusted. again: a query whose credentials are all known.
 */
export function timeChain(chain: Chain, algorithms: AlgorithmChoice, calls: number): Timing {
  const policy = [parseAssertion(chain.policy)];
  const common = { values: VALUES, attributes: ATTRIBUTES, authorizers: [chain.requester], algorithms };
  const granted = (index: number): void => {
    if (index !== 1) throw new Error('the chain does not carry the action');
  };
  const cold = (): void => {
    const credentials = chain.credentials.map((text) => parseAssertion(text));
    granted(query({ ...common, policy, credentials }).index);
  };
  const unverified = (): void => {
    const credentials = chain.credentials.map((text) => parseAssertion(text));
    granted(query({ ...common, policy: [...policy, ...credentials] }).index);
  };
  const cache = new CredentialCache();
  const known = chain.credentials.slice(0, -1);
  const warm = (i: number): void => {
    const last = chain.lasts[i % chain.lasts.length] ?? '';
    const credentials = known.map((text) => cache.parse(text));
    // Past the cache: it is new each time.
    credentials.push(parseAssertion(last));
    granted(query({ ...common, policy, credentials, cache }).index);
  };
  const parsed: Assertion[] = chain.credentials.map((text) => parseAssertion(text));
  const again = (): void => granted(query({ ...common, policy, credentials: parsed }).index);
  for (const run of [cold, unverified, warm, again]) for (let i = 0; i < calls / 4; i++) run(i);
  return {
    cold: measure(cold, calls),
    warm: measure(warm, calls),
    unverified: measure(unverified, calls),
    again: measure(again, calls),
  };
}

const KINDS: readonly (readonly [string, () => PrivateKey, string, AlgorithmChoice])[] = [
  ['RSA-1024', () => generateKey('rsa', 1024), 'sig-rsa-sha1-hex', 'classic'],
  ['RSA-2048', () => generateKey('rsa', 2048), 'sig-rsa-sha256-base64', 'modern'],
  ['Ed25519', () => generateKey('ed25519'), 'sig-ed25519-base64', 'modern'],
];

/** The policy engine alone: the time of one query against the number of credentials. */
export function main(calls = 1000): void {
  const table = new Table({
    head: ['keys', 'n', 'cold', 'libkeynote', 'warm', 'unverified', 'again'],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
  // The compiler has its time before anything is measured.
  for (const [, newKey, algorithm, algorithms] of KINDS) {
    timeChain(makeChain(7, newKey, algorithm, 50), algorithms, 1000);
  }
  for (const [name, newKey, algorithm, algorithms] of KINDS) {
    for (let n = 3; n <= 7; n++) {
      const { cold, warm, unverified, again } = timeChain(
        makeChain(n, newKey, algorithm, 50),
        algorithms,
        calls,
      );
      const peer = name === 'RSA-1024' ? (LIBKEYNOTE[n] ?? '') : '';
      const figures = [warm, unverified, again].map((figure) => figure.toFixed(1));
      table.push([name, String(n), cold.toFixed(1), peer, ...figures]);
    }
  }
  console.log('KeyNote: one query, chain of n signed credentials, microseconds (median)');
  console.log(table.toString());
}
